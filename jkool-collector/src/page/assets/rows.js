// Lists of entities by keyboard: a list is one stop of the tab key, and so is each of its rows once one is in it.

const links = (row) => [...row.querySelectorAll("a[href]")];

/** Takes the links of rows out of the tab order, but for one of the list. */
export function settle(root) {
  for (const link of root.querySelectorAll(".row a[href]")) link.tabIndex = -1;
  const list = root.closest?.("ol.rows");
  if (list) keepAStop(list);
}

/** Some row must be reached by the tab key. */
export function keepAStop(list) {
  if (!list.querySelector(".row a[tabindex='0']")) list.querySelector(".row .msg")?.setAttribute("tabindex", "0");
}

function focus(link) {
  if (!link) return;
  const list = link.closest("ol.rows");
  for (const other of list.querySelectorAll("a[tabindex='0']")) other.tabIndex = -1;
  link.tabIndex = 0;
  link.focus();
}

/** The row that has the focus, if one has. */
export const current = () => document.activeElement?.closest?.("ol.rows > .row");

/** To the next row or the one before; the first if none has the focus. */
export function step(by) {
  const row = current();
  if (!row) return focus(document.querySelector("ol.rows > .row .msg"));
  const next = by > 0 ? row.nextElementSibling : row.previousElementSibling;
  focus(next?.querySelector(".msg"));
}

document.addEventListener("keydown", (event) => {
  const row = current();
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = links(row);
  const at = all.indexOf(document.activeElement);
  const rows = row.parentElement;
  const to = {
    ArrowDown: () => row.nextElementSibling?.querySelector(".msg"),
    ArrowUp: () => row.previousElementSibling?.querySelector(".msg"),
    ArrowRight: () => all[at + 1],
    ArrowLeft: () => all[at - 1],
    Home: () => rows.firstElementChild.querySelector(".msg"),
    End: () => rows.lastElementChild.querySelector(".msg"),
  }[event.key];
  if (!to) return;
  event.preventDefault();
  focus(to());
});

// A link whose text was just selected is not meant to be followed.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.(".row");
  const selection = document.getSelection();
  if (row && event.detail > 0 && !selection.isCollapsed && selection.containsNode(row, true)) event.preventDefault();
}, { capture: true });
