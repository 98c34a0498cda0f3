// The lines, live: pieces that changed come as server-sent events and replace what stands in them.
"use strict";

(() => {
  let frame = document.getElementById("lines");
  const state = document.getElementById("live-state");
  let ahead = 0; // the server's clock before ours, in ms

  function clock(at) { ahead = Date.parse(at) - Date.now(); }

  function age(since) {
    const s = Math.max(0, Math.round((Date.now() + ahead - Date.parse(since)) / 1000));
    if (s < 100) return `${s} s`;
    if (s < 6000) return `${Math.round(s / 60)} min`;
    if (s < 172800) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} d`;
  }
  function ages(within = document) {
    for (const time of within.querySelectorAll("time[data-age]")) {
      time.title ||= time.textContent;
      const text = age(time.dateTime);
      if (time.textContent !== text) time.textContent = text;
    }
  }
  function put(place, html) { // what is as it was stays: no picture is drawn twice
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    ages(fresh.content);
    if (place && place.innerHTML.trim() !== fresh.innerHTML.trim()) place.innerHTML = fresh.innerHTML;
  }
  function trouble(text) {
    state.textContent = text;
    state.hidden = !text;
  }
  async function whole() { // a line or camera came or went
    const answer = await fetch(`${location.pathname}?block=tiles`, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("lines");
    if (!fresh) return;
    frame.replaceWith(fresh);
    frame = fresh;
    ages();
  }
  clock(frame.dataset.at);
  ages();
  setInterval(ages, 1000);

  let stream;
  const AGAIN_MS = 3000; // as browsers wait before they ask for a stream again
  function listen() {
    stream = new EventSource(frame.dataset.stream);
    stream.addEventListener("tiles", (event) => {
      const said = JSON.parse(event.data);
      clock(said.at);
      trouble("");
      document.documentElement.dataset.live = said.at;
      if (said.frame !== frame.dataset.frame) { whole(); return; }
      for (const [id, html] of Object.entries(said.tiles)) put(document.getElementById(id), html);
      ages();
    });
    stream.addEventListener("away", () => trouble(state.dataset.away));
    stream.addEventListener("ended", () => { stream.close(); location.reload(); });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.OPEN) trouble(state.dataset.lost);
      if (stream.readyState === EventSource.CLOSED) setTimeout(again, AGAIN_MS);
    });
  }
  // A browser gives a stream up for good that was answered by anything else, such as a proxy's 502
  // while the console starts anew. Nobody stands at a wall to load its page again.
  async function again() {
    try {
      const answer = await fetch(`${location.pathname}?block=strip`, { headers: { accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; } // to sign in
      if (answer.ok) { listen(); return; }
    } catch { /* it is away still */ }
    setTimeout(again, AGAIN_MS);
  }
  listen();
  window.addEventListener("pagehide", () => stream.close());
})();
