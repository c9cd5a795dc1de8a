// Keeps charts up to date: loads the page again, and replaces the parts that changed.
import { dragging, invite } from "./brush.js";
import { showTimes } from "./time.js";

const EVERY = 3000; // minimum interval in milliseconds
const SHARE = 4; // minimum interval as a multiple of the loading time, to limit the load on the server

/** Whether the user is using a part, so that it must not move. */
function inUse(part) {
  const selection = document.getSelection();
  const selected = !selection.isCollapsed && selection.containsNode(part, true);
  return selected || part.matches(":hover") || part.contains(document.activeElement);
}

/** Keeps the parts of `root` up to date: its children, or those of its columns. */
export function refresh(root) {
  const parts = (of) => [...of.querySelectorAll(":scope > *, :scope > .columns > *")].filter((part) => !part.matches(".columns"));
  const live = document.getElementById("live");
  let seen = null; // as sent by the server: changes by the script do not count
  let wait = EVERY;
  let timer = 0;

  const say = (state, text) => {
    live.hidden = false;
    live.className = `live ${state}`;
    if (live.textContent !== text) live.textContent = text;
  };

  function show(page) {
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return;
    const [olds, news] = [parts(root), parts(fresh)];
    const written = news.map((part) => part.outerHTML);
    if (olds.length !== news.length) {
      root.replaceChildren(...fresh.childNodes);
      showTimes(root);
      invite(root);
      seen = written;
      return;
    }
    seen ??= [];
    for (const [index, part] of news.entries()) {
      const old = olds[index];
      if (seen[index] === written[index] || inUse(old)) continue;
      const open = [...old.querySelectorAll("details")].map((details) => details.open);
      part.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? details.open));
      showTimes(part);
      invite(part);
      old.replaceWith(part);
      seen[index] = written[index];
    }
    const total = page.getElementById("total");
    if (total) document.getElementById("total").textContent = total.textContent;
  }

  async function ask() {
    clearTimeout(timer);
    if (document.hidden) return;
    const began = performance.now();
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (answer?.ok) {
      const text = await answer.text();
      if (!dragging()) show(new DOMParser().parseFromString(text, "text/html"));
      say("on", "live");
      wait = Math.max(EVERY, (performance.now() - began) * SHARE);
    } else {
      say("off", "reconnecting…");
      wait = Math.min(wait * 2, 15000);
    }
    timer = setTimeout(ask, wait);
  }
  document.addEventListener("visibilitychange", ask);
  say("on", "live");
  timer = setTimeout(ask, EVERY);
}
