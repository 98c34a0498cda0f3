// Choosing one of thousands of classes by typing: the combobox pattern of the WAI-ARIA Authoring
// Practices, with a list that the server finds. The field stays an ordinary one without it.
"use strict";

(() => {
  const WAIT_MS = 80;
  const asked = new WeakMap(); // place -> what is under way for it

  const placeOf = (event) => event.target.closest?.("[data-find-class]");
  const inputOf = (place) => place.querySelector("input");
  const options = (place) => [...place.querySelectorAll("[role=option]")];

  function choose(place, number) { // the option that Enter takes; -1: none
    const all = options(place);
    all.forEach((one, n) => one.setAttribute("aria-selected", String(n === number)));
    const chosen = all[number];
    if (chosen) inputOf(place).setAttribute("aria-activedescendant", chosen.id);
    else inputOf(place).removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }
  function close(place) {
    clearTimeout(asked.get(place)?.timer);
    asked.get(place)?.abort?.abort();
    asked.delete(place);
    place.querySelector("ul").hidden = true;
    inputOf(place).setAttribute("aria-expanded", "false");
    choose(place, -1);
  }
  function show(place, found) {
    const list = place.querySelector("ul");
    list.replaceChildren(...found.classes.map((one, n) => {
      const option = document.createElement("li");
      option.setAttribute("role", "option");
      option.id = `${list.id}-${n}`;
      option.textContent = one.code;
      option.className = one.good ? "good" : "bad";
      return option;
    }));
    const any = found.classes.length > 0;
    list.hidden = !any;
    inputOf(place).setAttribute("aria-expanded", String(any));
    const said = any ? `${place.dataset.found} ${found.classes.length}` : place.dataset.none;
    place.querySelector("[role=status]").textContent = found.more ? `${said} ${place.dataset.more}` : said;
    place.classList.toggle("none", !any);
    choose(place, any ? 0 : -1);
  }
  function take(place, option) {
    const input = inputOf(place);
    input.value = option.textContent;
    close(place);
    if (!("decides" in place.dataset)) return;
    input.blur(); // else the next part's field had the focus, and keys would be typed into it
    input.form.requestSubmit(place.parentElement.querySelector("[data-typed]"));
  }
  async function find(place, typed) {
    const now = { abort: new AbortController(), typed, enter: asked.get(place)?.enter };
    asked.get(place)?.abort?.abort();
    asked.set(place, now);
    try {
      const address = `${place.dataset.findClass}&q=${encodeURIComponent(typed)}`;
      const answer = await fetch(address, { signal: now.abort.signal, headers: { accept: "application/json" } });
      if (!answer.ok || asked.get(place) !== now) return;
      show(place, await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") close(place);
      return;
    }
    now.done = true;
    const first = options(place)[0];
    if (now.enter && first) take(place, first); // Enter came before the answer
    now.enter = false;
  }
  function look(place) {
    const typed = inputOf(place).value.trim();
    if (!typed) { close(place); return; }
    clearTimeout(asked.get(place)?.timer);
    asked.get(place)?.abort?.abort();
    asked.set(place, { timer: setTimeout(() => find(place, typed), WAIT_MS), typed });
  }

  document.addEventListener("input", (event) => {
    const place = placeOf(event);
    if (place) look(place);
  });
  document.addEventListener("keydown", (event) => {
    const place = placeOf(event);
    if (!place || event.target !== inputOf(place)) return;
    const all = options(place);
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const open = !place.querySelector("ul").hidden;
    const under = asked.get(place);
    if (event.key === "Enter" && under && !under.done) {
      under.enter = true; // of what was typed, once it is found
      event.preventDefault();
    } else if (event.key === "Enter" && open && at >= 0) {
      event.preventDefault();
      take(place, all[at]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (open) choose(place, (at + step + all.length) % all.length);
      else find(place, inputOf(place).value.trim());
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (open) close(place);
      else inputOf(place).value = "";
    }
  });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("[data-find-class] [role=option]");
    if (!option) return;
    event.preventDefault(); // the field keeps the focus
    take(option.closest("[data-find-class]"), option);
  });
  document.addEventListener("focusout", (event) => {
    const place = placeOf(event);
    if (place && !place.contains(event.relatedTarget)) close(place);
  });
})();
