// Folding of a timeline: what is below a line is hidden by a click.

const depth = (line) => Number(line.dataset.depth);

/** The lines below one, up to the next that is no deeper. */
function below(line) {
  const lines = [];
  for (let next = line.nextElementSibling; next && depth(next) > depth(line); next = next.nextElementSibling) lines.push(next);
  return lines;
}

function show(line) {
  const closed = new Set();
  for (const other of below(line)) {
    other.hidden = [...closed, line].some((above) => above.dataset.closed && below(above).includes(other));
    if (other.dataset.closed) closed.add(other);
  }
}

/** Gives each line that has others below it a button that folds them. */
export function foldable(root) {
  for (const line of root.querySelectorAll(".timeline li")) {
    const next = line.nextElementSibling;
    if (!next || depth(next) <= depth(line) || line.querySelector(".fold")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold";
    const say = () => {
      button.textContent = line.dataset.closed ? "▸" : "▾";
      button.setAttribute("aria-expanded", String(!line.dataset.closed));
      button.setAttribute("aria-label", `What is below ${line.querySelector(".name").textContent.trim()}`);
    };
    button.addEventListener("click", () => {
      if (line.dataset.closed) delete line.dataset.closed;
      else line.dataset.closed = "yes";
      say();
      show(line);
    });
    say();
    line.querySelector(".offset").prepend(button);
  }
}
