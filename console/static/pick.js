// Tick pictures by mouse or keys: ranges with Shift, all with Ctrl+A, none with Escape.
"use strict";

(() => {
  const form = document.getElementById("pick");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=chosen]")];
  const count = document.getElementById("count");
  let anchor = 0; // where a range begins

  function tell() {
    const chosen = boxes.filter((box) => box.checked).length;
    count.textContent = `${chosen} ${form.dataset.chosen}`;
  }
  function tick(from, to, checked) {
    for (let i = Math.min(from, to); i <= Math.max(from, to); i += 1) boxes[i].checked = checked;
    tell();
  }
  // How many stand in a row now: those at the height of the first.
  function columns() {
    const top = boxes[0].getBoundingClientRect().top;
    const next = boxes.findIndex((box) => box.getBoundingClientRect().top > top + 5);
    return next < 1 ? boxes.length : next;
  }

  form.addEventListener("click", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return; // a label's click comes once more, as its box's
    if (event.shiftKey) tick(anchor, at, boxes[at].checked);
    anchor = at;
    tell();
  });
  // A range by mouse would select text.
  form.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest(".thumb")) event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns(), Home: -at, End: boxes.length - 1 - at };
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") tick(0, boxes.length - 1, true);
    else if (event.key === "Escape") tick(0, boxes.length - 1, false);
    else if (event.key in steps) {
      const to = Math.min(Math.max(at + steps[event.key], 0), boxes.length - 1);
      if (event.shiftKey) {
        tick(at, to, true);
        anchor = to;
      }
      boxes[to].focus();
    } else return;
    event.preventDefault();
  });
  tell(); // a browser that goes back keeps what was ticked
})();
