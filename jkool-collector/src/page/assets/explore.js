// The list of events with what is beside it: an event's detail, and the strip over which a time is dragged.
import { showCopies } from "./copy.js";
import { foldable } from "./fold.js";
import { settle } from "./rows.js";
import { showTimes } from "./time.js";

const WIDE = matchMedia("(min-width: 1360px)"); // else a detail is a page of its own
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

/** Shows beside the list what is at `href`. */
async function open(href) {
  choose(href);
  const answer = await fetch(href).catch(() => null);
  if (!answer?.ok) return location.assign(href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const bar = document.createElement("p");
  bar.className = "bar";
  const whole = document.createElement("a");
  whole.href = href;
  whole.textContent = "On a page of its own";
  const shut = document.createElement("button");
  shut.type = "button";
  shut.textContent = "Close";
  shut.addEventListener("click", close);
  bar.append(whole, shut);
  // The list has the page's first heading.
  for (const head of page.querySelectorAll("main h1")) {
    const second = document.createElement("h2");
    second.className = "h1";
    second.append(...head.childNodes);
    head.replaceWith(second);
  }
  // What is named twice is found once.
  for (const row of page.querySelectorAll("main .row")) row.removeAttribute("id");
  detail.replaceChildren(bar, ...page.querySelector("main").children);
  detail.hidden = false;
  detail.scrollTop = 0;
  showTimes(detail);
  showCopies(detail);
  foldable(detail);
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

// A time dragged over the strip becomes the filter's.
function brush(strip) {
  const svg = strip.querySelector("svg");
  const [from, to] = [strip.dataset.from, strip.dataset.to].map((time) => new Date(time).getTime());
  strip.querySelector(".drag").hidden = false;
  const width = svg.viewBox.baseVal.width;
  const mark = document.createElementNS(svg.namespaceURI, "rect");
  mark.setAttribute("class", "brush");
  mark.setAttribute("height", "100");
  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  let began = null;
  let dragged = false;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    [began, dragged] = [place(event), false];
  });
  window.addEventListener("pointermove", (event) => {
    if (began === null) return;
    const [left, right] = [began, place(event)].sort((a, b) => a - b);
    if (!dragged && (right - left) * svg.clientWidth < 4) return;
    dragged = true;
    mark.setAttribute("x", left * width);
    mark.setAttribute("width", (right - left) * width);
    svg.append(mark);
  });
  window.addEventListener("pointerup", (event) => {
    if (began !== null && dragged) {
      const times = [began, place(event)].sort((a, b) => a - b).map((part) => new Date(from + part * (to - from)).toISOString());
      const url = new URL(location.href);
      url.searchParams.set("since", times[0]);
      url.searchParams.set("until", times[1]);
      url.searchParams.delete("before");
      location.assign(url);
    }
    began = null;
  });
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  // A drag that ends upon a bar is no click on it.
  svg.addEventListener("click", (event) => dragged && event.preventDefault());
}

/** Fetches what is told of all that is listed. Without it, the list is as good. */
async function summarize(facets) {
  const answer = await fetch(facets.dataset.summary).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) document.getElementById(part.dataset.part).replaceChildren(...part.childNodes);
  showTimes(document.getElementById("over-time"));
  const strip = document.getElementById("strip");
  if (strip) brush(strip);
}

if (detail && list) beside();
const facets = document.getElementById("facets");
if (facets?.dataset.summary) summarize(facets);
