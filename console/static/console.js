// What every page has: the theme before anything is drawn, and the two buttons at the top.
"use strict";

// Keys that are pressed before the page's own script listens; `takeEarlyKeys` gives them to it.
const earlyKeys = [];
const keepKey = (event) => earlyKeys.push(event);
document.addEventListener("keydown", keepKey);
// Once every script of the page is there, `listener` gets what was pressed before it listened.
function takeEarlyKeys(listener) {
  document.removeEventListener("keydown", keepKey);
  document.addEventListener("DOMContentLoaded", () => earlyKeys.splice(0).forEach(listener));
}

const THEME = "linewatch-theme";
const kept = localStorage.getItem(THEME);
if (kept) document.documentElement.dataset.theme = kept;

// Say something to the person, and to a screen reader.
function say(text, isProblem = false) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.className = isProblem ? "problem" : "";
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { place.textContent = ""; }, isProblem ? 15000 : 5000);
}

// At the document, so that they work before the page's other scripts are there.
document.addEventListener("click", (event) => {
  const button = event.target.closest("#theme, #language");
  if (button?.id === "theme") {
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem(THEME, document.documentElement.dataset.theme);
    document.dispatchEvent(new Event("linewatch:theme"));
  } else if (button) {
    document.cookie = `linewatch_language=${button.dataset.to}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  }
});

// htmx 2 and 4 name their events differently; what went wrong is said in both.
for (const name of ["htmx:responseError", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    const answer = event.detail.xhr?.responseText ?? event.detail.ctx?.text ?? "";
    const page = new DOMParser().parseFromString(answer, "text/html");
    const said = document.getElementById("said");
    say(page.querySelector(".refused")?.textContent ?? said.dataset.refused, true);
  });
}
for (const name of ["htmx:sendError", "htmx:error"]) {
  document.addEventListener(name, () => say(document.getElementById("said").dataset.away, true));
}
// Somebody else was first: the answer shows how it is now. (htmx 4 has hx-status:409 for it.)
document.addEventListener("htmx:beforeSwap", (event) => {
  const asker = event.detail.requestConfig?.elt;
  if (event.detail.xhr?.status === 409 && asker?.hasAttribute("hx-status:409")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
