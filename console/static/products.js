// Draw a region of interest on a picture, and hand pictures over one after the other.
"use strict";

(() => {
  const roi = document.getElementById("roi");
  if (!roi) return; // of so many classes that there is no form
  const image = roi.querySelector("img"), box = roi.querySelector(".roi-box");
  const inputs = ["x", "y", "width", "height"].map((name) => document.querySelector(`[name=region_${name}]`));
  let from = null;

  const values = () => inputs.map((input) => parseFloat(input.value.replace(",", ".")));
  function draw() {
    const numbers = values();
    box.hidden = numbers.some(Number.isNaN);
    ["left", "top", "width", "height"].forEach((side, i) => { box.style[side] = `${100 * numbers[i]}%`; });
  }
  function at(event) {
    const frame = image.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - frame.left) / frame.width), within((event.clientY - frame.top) / frame.height)];
  }
  function show(address) { image.src = address; roi.hidden = false; draw(); }

  document.getElementById("roi-file").addEventListener("change", (event) => {
    if (event.target.files.length) show(URL.createObjectURL(event.target.files[0]));
  });
  if (roi.dataset.default) show(roi.dataset.default);
  inputs.forEach((input) => input.addEventListener("input", draw));
  roi.addEventListener("pointerdown", (event) => {
    from = at(event);
    roi.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  roi.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    const corner = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    const rounded = corner.map((value) => Math.round(value * 1000) / 1000);
    const far = [Math.max(from[0], to[0]), Math.max(from[1], to[1])];
    inputs[0].value = rounded[0];
    inputs[1].value = rounded[1];
    inputs[2].value = Math.floor((far[0] - rounded[0]) * 1000) / 1000;
    inputs[3].value = Math.floor((far[1] - rounded[1]) * 1000) / 1000;
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) roi.addEventListener(name, () => { from = null; });
})();

(() => {
  const drop = document.getElementById("drop"), files = document.getElementById("files");
  const progress = document.getElementById("sending"), sent = document.getElementById("sent");
  async function send(file) {
    const shows = encodeURIComponent(document.getElementById("shows").value);
    const address = `/products/${encodeURIComponent(drop.dataset.product)}/pictures?shows=${shows}`;
    const answer = await fetch(address, { method: "POST", body: file, headers: { accept: "application/json" } });
    if (answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector(".refused")?.textContent ?? answer.statusText;
  }
  async function sendAll(list) {
    const refused = [];
    let done = 0;
    progress.hidden = false;
    progress.max = list.length;
    for (const file of list) {
      progress.value = done;
      const why = await send(file).catch((error) => String(error));
      if (why) refused.push(`${file.name}: ${why}`); else done += 1;
    }
    progress.hidden = true;
    files.value = "";
    sent.textContent = `${drop.dataset.done}: ${done}/${list.length}`
      + (refused.length ? ` · ${drop.dataset.failed}: ${refused.slice(0, 3).join(" · ")}` : "");
  }
  files.addEventListener("change", () => sendAll([...files.files]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    sendAll([...event.dataTransfer.files]);
  });
})();
