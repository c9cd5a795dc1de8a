// The steps of a trace: shows the details of a selected step on the same page; arrow keys move between steps.
import { showTimes } from "./time.js";
import { fold } from "./fold.js";

const links = (steps) => [...steps.querySelectorAll("a[data-step]")].filter((link) => !link.closest("[hidden]"));
const marked = (link) => link.closest("li") ?? link;

function focus(link) {
  if (!link) return;
  for (const other of link.closest("[data-steps]").querySelectorAll("a[tabindex='0']")) other.setAttribute("tabindex", "-1");
  link.setAttribute("tabindex", "0");
  link.focus();
}

async function choose(steps, link) {
  const url = new URL(link.getAttribute("href"), location.href);
  const answer = await fetch(`${steps.closest("[data-chosen]").dataset.chosen}${url.search}`).catch(() => null);
  if (!answer?.ok) return location.assign(url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const panel = document.getElementById("chosen");
  panel.replaceChildren(...page.body.childNodes);
  showTimes(panel);
  for (const old of steps.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
  marked(link).setAttribute("aria-current", "true");
  remember(url);
}

/** Stores the selected step in the URL and in links to other views of the trace. */
function remember(url) {
  const at = url.searchParams.get("at");
  history.replaceState(null, "", url);
  for (const link of document.querySelectorAll("main a[href^='/traces/']:not([data-step])")) {
    if (link.pathname !== location.pathname || link.closest("#chosen")) continue;
    const to = new URL(link.href);
    if (at) to.searchParams.set("at", at);
    else to.searchParams.delete("at");
    link.setAttribute("href", to.pathname + to.search);
  }
  const field = document.querySelector("form.zoom input[name=at]");
  if (field) field.value = at ?? location.pathname.split("/").pop();
}

/** Makes the steps within `root` a single stop of the tab key. */
export function steppable(root) {
  for (const steps of root.querySelectorAll("[data-steps]")) {
    const all = links(steps);
    for (const link of all) link.setAttribute("tabindex", "-1");
    (all.find((link) => marked(link).hasAttribute("aria-current")) ?? all[0])?.setAttribute("tabindex", "0");
  }
}

document.addEventListener("keydown", (event) => {
  const at = document.activeElement?.closest?.("a[data-step]");
  if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = links(at.closest("[data-steps]"));
  const place = all.indexOf(at);
  const line = at.closest(".timeline li");
  const to = {
    ArrowDown: () => focus(all[place + 1]),
    ArrowUp: () => focus(all[place - 1]),
    ArrowRight: () => line ? fold(line, false) : focus(all[place + 1]),
    ArrowLeft: () => line ? fold(line, true) : focus(all[place - 1]),
    Home: () => focus(all[0]),
    End: () => focus(all.at(-1)),
  }[event.key];
  if (!to) return;
  event.preventDefault();
  to();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-step]");
  const steps = link?.closest("[data-steps]");
  if (!steps?.closest("[data-chosen]") || event.defaultPrevented) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  choose(steps, link);
  focus(link);
});
