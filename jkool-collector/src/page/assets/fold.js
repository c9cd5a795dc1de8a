// Folds the rows of a timeline: a click hides the descendants of a row. Rows folded by the URL are not on the page; they have a
// link that unfolds them.

const depth = (line) => Number(line.dataset.depth);
const foldsOf = (line) => line.querySelector(":scope > .offset > .fold");

/** Hides the descendants of each closed row. */
function show(timeline) {
  let closed = Infinity; // deeper rows are hidden
  for (const line of timeline.children) {
    line.hidden = depth(line) > closed;
    if (!line.hidden) closed = line.dataset.closed ? depth(line) : Infinity;
  }
}

/** Closes or opens a row with descendants. */
export function fold(line, close) {
  const button = foldsOf(line);
  if (!button) return;
  if (button.matches("a")) {
    if (!close) button.click();
    return;
  }
  if (close) line.dataset.closed = "yes";
  else delete line.dataset.closed;
  say(button, close);
  show(line.parentElement);
}

function say(button, closed) {
  button.textContent = closed ? "▸" : "▾";
  button.setAttribute("aria-expanded", String(!closed));
}

/** Adds a button to each row with descendants. */
export function foldable(root) {
  for (const line of root.querySelectorAll(".timeline li[data-depth]")) {
    const next = line.nextElementSibling;
    if (!next || depth(next) <= depth(line) || foldsOf(line)?.matches("button")) continue;
    foldsOf(line)?.remove();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold";
    button.setAttribute("aria-label", `What is below ${line.querySelector(".name").textContent.trim()}`);
    button.addEventListener("click", () => fold(line, !line.dataset.closed));
    line.querySelector(".offset").prepend(button);
    say(button, false);
  }
}
