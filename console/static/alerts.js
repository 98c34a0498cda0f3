// The list of alerts is read again now and then, unless somebody is writing a note in it.
"use strict";

setInterval(() => {
  const list = document.getElementById("list");
  const writing = list.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
  const written = [...list.querySelectorAll("input")].some((input) => input.value);
  if (!writing && !written && !document.hidden) list.dispatchEvent(new Event("refresh"));
}, 15000);
