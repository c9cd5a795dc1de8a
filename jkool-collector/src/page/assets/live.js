// Adds new rows to an open list. The server has rendered and escaped them.
import { listen } from "./listen.js";
import { keepAStop, settle } from "./rows.js";
import { showTimes } from "./time.js";

const MOST = 500; // rows in the list
const EVERY = 400; // minimum milliseconds between two changes of the list, so that it is readable
const byId = (id) => document.getElementById(id);
const number = (count) => count.toLocaleString("en");

// An id consists of a time and a number, and is ordered by both.
const parts = (row) => row.id.slice(1).split("-").map(BigInt);
function isYounger(row, other) {
  const [a, b] = [parts(row), parts(other)];
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

/** Whether the user is using the list, so that it must not move. */
function use(list, changed) {
  let hovered = false;
  // Only a mouse stays over the list; a finger does not.
  list.addEventListener("pointerenter", (event) => {
    hovered = event.pointerType === "mouse";
    changed();
  });
  list.addEventListener("pointerleave", () => {
    hovered = false;
    changed();
  });
  for (const kind of ["focusin", "focusout"]) list.addEventListener(kind, changed);
  document.addEventListener("selectionchange", changed);
  window.addEventListener("scroll", changed, { passive: true });
  return () => {
    const selection = document.getSelection();
    const selected = !selection.isCollapsed && selection.containsNode(list, true);
    const scrolled = list.getBoundingClientRect().top < 0;
    return hovered || selected || scrolled || list.contains(document.activeElement);
  };
}

export function tail(list) {
  const [live, pause, waiting, missed, total] = ["live", "pause", "waiting", "missed", "total"].map(byId);
  const parser = document.createElement("template");
  let held = []; // rows that are not shown yet, oldest first
  let heldBack = 0; // the number of rows that were dropped while they waited
  let passedOver = 0;
  let ahead = 0;
  let gap = false; // whether rows are missing between the shown and the held ones
  let paused = false;
  let timer = 0;
  const inUse = use(list, soon);

  const say = (state, text) => {
    live.hidden = false;
    live.className = `live ${state}`;
    if (live.textContent !== text) live.textContent = text;
  };
  const isLive = () => say(paused ? "" : "on", paused ? "paused" : "live");

  function draw() {
    timer = 0;
    const notes = [];
    if (passedOver > 0) notes.push(`${number(passedOver)} passed over: more than can be shown`);
    if (ahead > 0) notes.push(`${number(ahead)} left out: their clock is ahead`);
    if (notes.length > 0) missed.textContent = notes.join("; ");
    const count = held.length + heldBack;
    if (count === 0 || paused || inUse()) {
      waiting.hidden = count === 0;
      waiting.textContent = paused ? `${number(count)} waiting` : `${number(count)} new ↑`;
      return;
    }
    show();
  }

  /** Inserts the held rows into the list, by time. */
  function show() {
    if (gap) list.replaceChildren();
    gap = false;
    for (const row of list.querySelectorAll(".row.newest")) row.classList.remove("newest");
    const fresh = held.filter((row) => !byId(row.id)).sort((a, b) => (isYounger(a, b) ? 1 : -1));
    held = [];
    heldBack = 0;
    waiting.hidden = true;
    for (const row of fresh) {
      let next = list.firstElementChild;
      while (next && !isYounger(row, next)) next = next.nextElementSibling;
      settle(row);
      showTimes(row);
      list.insertBefore(row, next);
    }
    if (fresh.length > 0) {
      // Marks the end of the newest rows without an animation.
      fresh[0].classList.add("newest");
      byId("nothing")?.remove();
      document.querySelector(".welcome")?.remove();
    }
    // Measured together: after each removal the browser would compute the layout again.
    const beyond = [...list.children].slice(MOST).filter((row) => row.getBoundingClientRect().top > innerHeight);
    for (const row of beyond) row.remove();
    keepAStop(list);
  }

  function soon() {
    // A hidden tab draws nothing.
    if (timer === 0 && !document.hidden) timer = setTimeout(draw, EVERY);
  }

  // With `isAll` these are the newest entities of the store: if none of them is known, there is a gap before them.
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
      gap = true;
    }
    soon();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    isLive();
    draw();
  });
  waiting.addEventListener("click", () => {
    if (paused) return pause.click();
    document.getSelection().removeAllRanges();
    if (list.contains(document.activeElement)) document.activeElement.blur();
    show();
    window.scrollTo({ top: 0 });
  });

  const handlers = {
    list: (event) => take(event.data, true),
    rows: (event) => take(event.data, false),
    missed: (event) => {
      passedOver += Number(event.data);
      soon();
    },
    ahead: (event) => {
      ahead += Number(event.data);
      soon();
    },
    total: (event) => {
      total.textContent = number(Number(event.data));
    },
  };
  listen(list.dataset.tail, handlers, { opened: isLive, lost: () => say("off", "reconnecting…") });
}
