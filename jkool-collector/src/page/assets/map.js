// Highlights a node of the map under the pointer, with all nodes and lines before and after it; the rest is dimmed.

/** Returns the numbers of the nodes that are reachable from `start`, along lines or against them. */
function reached(start, lines, [from, to]) {
  const found = new Set([start]);
  // Iteration over a set includes elements that are added meanwhile.
  for (const node of found) for (const line of lines) if (line.dataset[from] === node) found.add(line.dataset[to]);
  return found;
}

function light(map, of) {
  const lines = [...map.querySelectorAll(".edge")];
  const { node, from = node, to = node } = of.dataset;
  const [before, behind] = [reached(from, lines, ["to", "from"]), reached(to, lines, ["from", "to"])];
  const isLine = (part) => part.dataset.from === from && part.dataset.to === to;
  for (const part of map.querySelectorAll("[data-node]")) part.classList.toggle("lit", before.has(part.dataset.node) || behind.has(part.dataset.node));
  for (const part of map.querySelectorAll("[data-from]")) part.classList.toggle("lit", isLine(part) || before.has(part.dataset.to) || behind.has(part.dataset.from));
  map.classList.add("lights");
}

const partOf = (target) => target.closest?.(".map a");

for (const [begin, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(begin, ({ target }) => {
    const part = partOf(target);
    if (part) light(part.closest(".map"), part);
  });
  document.addEventListener(end, ({ target }) => partOf(target)?.closest(".map").classList.remove("lights"));
}
