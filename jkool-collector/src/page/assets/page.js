// What a page can't do without a script: lines that arrive while it is open, and short cuts on the keyboard.
// Lines come rendered and escaped from the server.
"use strict";

const MOST = 500; // lines in the list
const byId = (id) => document.getElementById(id);

// Parameters that say nothing are left out of the url.
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value.trim()) field.disabled = true;
  });
}
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form.filter [disabled]")) field.disabled = false;
});

// A time's title says it in the reader's own zone too.
document.addEventListener("mouseover", (event) => {
  const time = event.target.closest?.("time");
  if (!time || time.dataset.local) return;
  const local = new Date(time.dateTime);
  time.dataset.local = "yes";
  if (!Number.isNaN(local.getTime())) time.title += `\n${local.toLocaleString()} (local)`;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("input[name=text]") ?? document.querySelector("form.filter input");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === " " && !event.target.closest("a, button, summary")) {
    const pause = byId("pause");
    if (!pause) return;
    event.preventDefault();
    pause.click();
  } else if (event.key === "j" || event.key === "k") {
    const lines = [...document.querySelectorAll(".row .msg")];
    const at = lines.findIndex((line) => line.closest(".row").contains(document.activeElement));
    const next = lines[event.key === "j" ? at + 1 : Math.max(at - 1, 0)];
    if (next) next.focus();
  }
});

const list = byId("rows");
if (list?.dataset.tail) tail(list);

function tail(list) {
  const [live, pause, waiting, missed, total] = ["live", "pause", "waiting", "missed", "total"].map(byId);
  const parser = document.createElement("template");
  let held = []; // what arrived and isn't shown yet, the oldest first
  let heldBack = 0; // of that, what came too long ago to be shown
  let passedOver = 0;
  let gap = false; // whether something is missing between what is shown and what is held
  let paused = false;
  let drawing = false;

  const say = (state, text) => {
    live.hidden = false;
    live.className = `live ${state}`;
    if (live.textContent !== text) live.textContent = text;
  };
  const number = (count) => count.toLocaleString("en");

  function draw() {
    drawing = false;
    if (paused) {
      const count = held.length + heldBack;
      waiting.hidden = count === 0;
      waiting.textContent = `${number(count)} waiting`;
      return;
    }
    if (gap) list.replaceChildren();
    gap = false;
    const fresh = document.createDocumentFragment();
    for (const row of held.reverse()) {
      if (byId(row.id)) continue;
      row.classList.add("new");
      fresh.append(row);
    }
    held = [];
    heldBack = 0;
    waiting.hidden = true;
    if (fresh.firstChild) {
      list.prepend(fresh);
      byId("nothing")?.remove();
      document.querySelector(".welcome")?.remove();
    }
    while (list.children.length > MOST) list.lastElementChild.remove();
    if (passedOver > 0) missed.textContent = `${number(passedOver)} passed over: more than can be shown`;
  }

  function soon() {
    if (drawing) return;
    drawing = true;
    // A tab in the background draws nothing until it is looked at.
    requestAnimationFrame(draw);
  }

  // With `isAll` these are the youngest that there are: if none of them is known, there is a gap before them.
  function take(html, isAll) {
    parser.innerHTML = html;
    const known = new Set(held.map((row) => row.id));
    const rows = [...parser.content.children].reverse();
    const fresh = rows.filter((row) => !byId(row.id) && !known.has(row.id));
    if (isAll && fresh.length > 0 && fresh.length === rows.length) {
      gap = true;
      held = [];
    }
    held.push(...fresh);
    if (held.length > MOST) {
      heldBack += held.length - MOST;
      held = held.slice(-MOST);
    }
    soon();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    say(paused ? "" : "on", paused ? "paused" : "live");
    soon();
  });

  let wait = 1000;
  let source = null;
  let again = 0;
  // Only while it is looked at: a browser has few connections to one address.
  function connect() {
    clearTimeout(again);
    source?.close();
    if (document.hidden) return;
    source = new EventSource(list.dataset.tail);
    source.addEventListener("open", () => {
      wait = 1000;
      say(paused ? "" : "on", paused ? "paused" : "live");
    });
    source.addEventListener("list", (event) => take(event.data, true));
    source.addEventListener("rows", (event) => take(event.data, false));
    source.addEventListener("missed", (event) => {
      passedOver += Number(event.data);
      soon();
    });
    source.addEventListener("total", (event) => {
      total.textContent = number(Number(event.data));
    });
    source.addEventListener("error", () => {
      // The browser would give up on some errors; and it would ask too often.
      source.close();
      say("off", "reconnecting…");
      again = setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15000);
    });
  }
  document.addEventListener("visibilitychange", connect);
  connect();
}
