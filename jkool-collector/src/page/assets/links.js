// Adds parameters of the page's URL that are not part of the filter to links.

const ALWAYS = ["watch", "more-than"];
const IN_THE_LIST = ["snapshots", "cols"]; // only for links that narrow the list

function keep(event) {
  const link = event.target.closest?.("a[href^='/']:not([href^='/api/'])");
  if (!link) return;
  const here = new URLSearchParams(location.search);
  const to = new URL(link.getAttribute("href"), location.href);
  const narrows = to.pathname === location.pathname && link.closest("#rows");
  for (const name of narrows ? [...ALWAYS, ...IN_THE_LIST] : ALWAYS) {
    if (here.has(name)) to.searchParams.set(name, here.getAll(name).join());
  }
  link.setAttribute("href", to.pathname + to.search + to.hash);
}

for (const kind of ["click", "auxclick"]) document.addEventListener(kind, keep, { capture: true });
