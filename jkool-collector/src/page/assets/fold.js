// Folding of a timeline: what is below a line is hidden by a click. What the url folds is not there: its line has a link that unfolds it.

const depth = (line) => Number(line.dataset.depth);
const foldsOf = (line) => line.querySelector(":scope > .offset > .fold");

/** Hides what is below each line that is closed. */
function show(timeline) {
  let closed = Infinity; // what is deeper than this is hidden
  for (const line of timeline.children) {
    line.hidden = depth(line) > closed;
    if (!line.hidden) closed = line.dataset.closed ? depth(line) : Infinity;
  }
}

/** Closes a line that has others below it, or opens it. */
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

/** Gives each line that has others below it a button that folds them. */
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
