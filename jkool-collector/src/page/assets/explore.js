// The list of events, with the details of an event and the summary of the list next to it.
import { invite } from "./brush.js";
import { showCopies } from "./copy.js";
import { foldable } from "./fold.js";
import { settle } from "./rows.js";
import { showTimes } from "./time.js";
import { steppable } from "./trace.js";

const WIDE = matchMedia("(min-width: 1360px)"); // otherwise the details are a separate page
const detail = document.getElementById("detail");
const list = document.getElementById("rows");

function remember(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("at", id);
  else url.searchParams.delete("at");
  history.replaceState(null, "", url);
}

function choose(href) {
  for (const row of list.querySelectorAll(".row.chosen")) row.classList.remove("chosen");
  const id = href && new URL(href, location.href).pathname.split("/").pop();
  if (id) document.getElementById(`e${id}`)?.classList.add("chosen");
  remember(id);
}

export function close() {
  if (detail.hidden) return false;
  detail.hidden = true;
  detail.replaceChildren();
  choose(null);
  return true;
}

/** Shows the details at `href` next to the list. */
async function open(href) {
  choose(href);
  const answer = await fetch(href).catch(() => null);
  if (!answer?.ok) return location.assign(href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const bar = document.createElement("p");
  bar.className = "bar";
  const whole = document.createElement("a");
  whole.href = href;
  whole.textContent = "Open as a page";
  const shut = document.createElement("button");
  shut.type = "button";
  shut.textContent = "Close";
  shut.addEventListener("click", close);
  bar.append(whole, shut);
  // The list already has the page's h1.
  for (const head of page.querySelectorAll("main h1")) {
    const second = document.createElement("h2");
    second.className = "h1";
    second.append(...head.childNodes);
    head.replaceWith(second);
  }
  // Ids must be unique in the document.
  for (const row of page.querySelectorAll("main .row")) row.removeAttribute("id");
  detail.replaceChildren(bar, ...page.querySelector("main").children);
  detail.hidden = false;
  detail.scrollTop = 0;
  showTimes(detail);
  showCopies(detail);
  foldable(detail);
  steppable(detail);
  for (const rows of detail.querySelectorAll("ol.rows")) settle(rows);
}

function beside() {
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a.msg, a.when");
    if (!link || event.defaultPrevented || !WIDE.matches) return;
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link.href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.target.closest("input, select, dialog")) close();
  });
  const at = new URLSearchParams(location.search).get("at");
  if (at && WIDE.matches) open(`/events/${encodeURIComponent(at)}`);
}

/** Loads the summary of the list. If that fails, the list works without it. */
async function summarize(facets) {
  const answer = await fetch(facets.dataset.summary).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) document.getElementById(part.dataset.part).replaceChildren(...part.childNodes);
  showTimes(document.getElementById("over-time"));
  invite(document.getElementById("over-time"));
}

if (detail && list) beside();
const facets = document.getElementById("facets");
if (facets?.dataset.summary) summarize(facets);
