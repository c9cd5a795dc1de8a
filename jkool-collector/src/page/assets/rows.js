// Keyboard navigation in lists: a list is one stop of the tab key; arrow keys move between its rows and their links.

const links = (row) => [...row.querySelectorAll("a[href]")];

/** Removes the links of rows from the tab order, except one in each list. */
export function settle(root) {
  for (const link of root.querySelectorAll(".row a[href]")) link.tabIndex = -1;
  const list = root.closest?.("ol.rows");
  if (list) keepAStop(list);
}

/** Makes sure that the tab key reaches a row. */
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

/** Returns the row with the focus, if any. */
export const current = () => document.activeElement?.closest?.("ol.rows > .row");

/** Moves the focus to the next or previous row; to the first if none has it. */
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

// A click that selects the text of a link does not follow it.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.(".row");
  const selection = document.getSelection();
  if (row && event.detail > 0 && !selection.isCollapsed && selection.containsNode(row, true)) event.preventDefault();
}, { capture: true });
