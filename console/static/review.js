// The review page: one key decides and shows the next part; zoom and pan; keys of this browser.
"use strict";

(() => {
  const form = document.getElementById("keys");
  const product = form?.dataset.product ?? "";
  const KEPT = `linewatch-keys-${product}`;
  const HOLD = 2.5; // how far one key zooms

  // Class (or " undo", " zoom") to key, where the person changed it.
  const read = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
      return kept && typeof kept === "object" ? kept : {};
    } catch {
      return {};
    }
  };
  let changed = read();
  const nameOf = (button) => button.dataset.class ?? ` ${button.dataset.action}`;
  const keyOf = (button) => changed[nameOf(button)] ?? button.dataset.key;

  function showKeys() {
    for (const button of document.querySelectorAll("#review [data-key]")) {
      const place = button.querySelector("kbd");
      if (place.textContent !== keyOf(button)) place.textContent = keyOf(button); // else for ever
      place.hidden = !keyOf(button);
    }
  }

  const review = () => document.getElementById("review");
  // While a decision is under way no second one is made: nobody has seen its part yet.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches('#review form[hx-target="#review"]')) return;
    if (review().dataset.busy) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else {
      review().dataset.busy = "yes";
    }
  }, true);
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:response:error", "htmx:error"]) {
    document.addEventListener(name, () => { delete review()?.dataset.busy; });
  }
  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea")) return;
    const wanted = event.key.toLowerCase();
    const buttons = [...document.querySelectorAll("#review [data-key]")];
    const button = buttons.find((one) => keyOf(one) && keyOf(one) === wanted);
    if (!button || review().dataset.busy) return;
    event.preventDefault();
    htmx.process(review()); // a key may come before htmx has seen what it just swapped in
    button.click();
  }
  document.addEventListener("keydown", press);
  takeEarlyKeys(press);

  document.addEventListener("click", (event) => {
    if (event.target.closest("#find-class")) document.getElementById("class-name").focus();
  });
  // Views to label: from the key on to the first of them.
  document.addEventListener("toggle", (event) => {
    if (event.target.id === "views" && event.target.open) event.target.querySelector("select, input:not([type=hidden])").focus();
  }, true);

  // Zoom and pan of each view: wheel or key, and drag.
  const turned = new WeakMap();
  function zoom(view, scale, x = 0, y = 0) {
    const image = view.querySelector("img");
    const state = { scale: Math.min(Math.max(scale, 1), 12), x, y };
    if (state.scale === 1) state.x = state.y = 0;
    else if (image.dataset.whole) {
      image.src = image.dataset.whole; // every pixel, once somebody wants to see them
      delete image.dataset.whole;
    }
    turned.set(view, state);
    view.classList.toggle("zoomed", state.scale > 1);
    image.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.scale})`;
  }
  const stateOf = (view) => turned.get(view) ?? { scale: 1, x: 0, y: 0 };
  document.addEventListener("wheel", (event) => {
    const view = event.target.closest(".zoomable");
    if (!view || !(event.ctrlKey || stateOf(view).scale > 1)) return; // else the page scrolls
    event.preventDefault();
    const { scale, x, y } = stateOf(view);
    zoom(view, scale * Math.exp(-event.deltaY / 300), x, y);
  }, { passive: false });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#zoom")) return;
    const views = [...document.querySelectorAll("#review .zoomable")];
    const near = views.some((view) => stateOf(view).scale > 1);
    for (const view of views) zoom(view, near ? 1 : HOLD);
  });
  document.addEventListener("dblclick", (event) => {
    const view = event.target.closest(".zoomable");
    if (view) zoom(view, stateOf(view).scale > 1 ? 1 : HOLD);
  });
  document.addEventListener("pointerdown", (event) => {
    const view = event.target.closest(".zoomable");
    if (!view || stateOf(view).scale === 1) return;
    const from = { ...stateOf(view), left: event.clientX, top: event.clientY };
    view.setPointerCapture(event.pointerId);
    const move = (to) => zoom(view, from.scale, from.x + to.clientX - from.left, from.y + to.clientY - from.top);
    view.addEventListener("pointermove", move);
    view.addEventListener("pointerup", () => view.removeEventListener("pointermove", move), { once: true });
    view.addEventListener("pointercancel", () => view.removeEventListener("pointermove", move), { once: true });
  });
  document.addEventListener("keydown", (event) => {
    const view = event.target.closest?.(".zoomable");
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (!view || !steps[event.key] || stateOf(view).scale === 1) return;
    event.preventDefault();
    const { scale, x, y } = stateOf(view);
    zoom(view, scale, x + steps[event.key][0], y + steps[event.key][1]);
  });

  // How unlike good a part is, and where: a red veil over its picture.
  function draw(canvas) {
    const { places, border, box: [x0, y0, x1, y1] } = JSON.parse(canvas.dataset.map);
    const image = new Image();
    image.addEventListener("load", () => {
      const scale = Math.min(canvas.width / image.naturalWidth, canvas.height / image.naturalHeight);
      const wide = image.naturalWidth * scale;
      const high = image.naturalHeight * scale;
      const [left, top] = [(canvas.width - wide) / 2, (canvas.height - high) / 2];
      const brush = canvas.getContext("2d");
      brush.drawImage(image, left, top, wide, high);
      const height = ((y1 - y0) * high) / places.length;
      const width = ((x1 - x0) * wide) / places[0].length;
      places.forEach((row, y) => row.forEach((place, x) => {
        const excess = Math.min(Math.max(place / (border || 1) - 0.5, 0), 1); // from half of the border on
        brush.fillStyle = `rgba(230, 30, 20, ${(0.65 * excess).toFixed(3)})`;
        brush.fillRect(left + x0 * wide + x * width, top + y0 * high + y * height, width, height);
      }));
    });
    image.src = canvas.dataset.picture;
    delete canvas.dataset.map;
  }

  // A new part: its keys, and what was done said to a screen reader.
  new MutationObserver(() => {
    showKeys();
    const done = document.querySelector("#review .done[data-said]");
    if (done && done.dataset.said && !done.dataset.told) {
      done.dataset.told = "yes";
      document.getElementById("review-told").textContent = done.dataset.said;
    }
    for (const canvas of document.querySelectorAll("canvas[data-map]")) draw(canvas);
  }).observe(document.getElementById("main"), { childList: true, subtree: true });
  for (const canvas of document.querySelectorAll("canvas[data-map]")) draw(canvas);

  for (const field of document.querySelectorAll("[data-submits]")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }
  if (form) {
    const fields = [...form.querySelectorAll("input")];
    const fill = () => {
      for (const field of fields) field.value = changed[field.name] ?? field.dataset.default;
    };
    fill();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = Object.fromEntries(fields.map((field) => [field.name, field.value.toLowerCase().trim()]));
      const used = Object.values(wanted).filter(Boolean);
      const problem = document.getElementById("keys-problem");
      const twice = new Set(used).size < used.length;
      problem.hidden = !twice;
      problem.textContent = twice ? problem.dataset.twice : "";
      if (twice) return;
      changed = wanted;
      localStorage.setItem(KEPT, JSON.stringify(changed));
      showKeys();
    });
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      changed = {};
      localStorage.removeItem(KEPT);
      fill();
      showKeys();
    });
  }
  showKeys();
})();
