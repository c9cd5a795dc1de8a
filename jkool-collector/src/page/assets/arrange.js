// Moves and resizes the tiles of a dashboard, by dragging or by keyboard. The arrangement is sent like a form.

const [WIDEST, HIGHEST] = [12, 6];
const PAUSE = 400; // milliseconds after the last change until it is sent
const [GAP, ROW] = [8, 52]; // as in the style sheet, in pixels
const clamp = (number, most) => Math.min(Math.max(number, 1), most);

export function arrange(list) {
  const said = document.getElementById("arranged");
  const tiles = () => [...list.children];
  let timer = 0;
  let sending = Promise.resolve();

  function size(tile, width, height) {
    const { dataset } = tile;
    tile.classList.remove(`w${dataset.width}`, `r${dataset.height}`);
    [dataset.width, dataset.height] = [clamp(width, WIDEST), clamp(height, HIGHEST)];
    tile.classList.add(`w${dataset.width}`, `r${dataset.height}`);
  }

  function changed(tile) {
    const { width, height } = tile.dataset;
    said.textContent = `${tile.querySelector("a").textContent}: place ${tiles().indexOf(tile) + 1} of ${tiles().length}, ${width} of ${WIDEST} columns, ${height} of ${HIGHEST} rows`;
    clearTimeout(timer);
    timer = setTimeout(() => (sending = sending.then(send)), PAUSE);
  }

  async function send() {
    const order = tiles();
    const places = order.map(({ dataset }) => `${dataset.viewlet}:${dataset.width}x${dataset.height}`).join(",");
    const body = new URLSearchParams({ action: "arrange", version: list.dataset.version, places });
    const answer = await fetch(list.dataset.action, { method: "POST", body }).catch(() => null);
    if (!answer?.ok) {
      // Another user has changed the dashboard, or the server does not answer: the saved state is loaded.
      said.textContent = "It was not saved.";
      return location.reload();
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.dataset.version = page.querySelector("ol.arrange").dataset.version;
    const saved = page.querySelectorAll("ol.arrange a");
    order.forEach((tile, index) => {
      tile.dataset.viewlet = index;
      tile.querySelector("a").setAttribute("href", saved[index].getAttribute("href"));
    });
    for (const part of ["ol.editor", "form.fields"]) document.querySelector(part).replaceWith(page.querySelector(part));
  }

  let dragged = null; // the tile, the start of the drag, and the corner

  function begin(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.button !== 0) return;
    const box = tile.getBoundingClientRect();
    const corner = event.target.matches(".corner");
    dragged = { tile, corner, box, x: event.clientX, y: event.clientY, moved: false };
    list.setPointerCapture(event.pointerId);
    // Otherwise text would be selected.
    event.preventDefault();
    tile.querySelector("a").focus();
  }

  function move(event) {
    if (!dragged) return;
    const { tile, corner, box } = dragged;
    if (!dragged.moved && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) < 4) return;
    dragged.moved = true;
    tile.classList.add("dragged");
    if (corner) {
      const column = (list.clientWidth + GAP) / WIDEST;
      size(tile, Math.round((event.clientX - box.left + GAP) / column), Math.round((event.clientY - box.top + GAP) / (ROW + GAP)));
      return;
    }
    const over = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.matches(".tile") && one !== tile);
    if (!over || !list.contains(over)) return;
    const { left, width } = over.getBoundingClientRect();
    over[event.clientX < left + width / 2 ? "before" : "after"](tile);
  }

  function end(event) {
    if (!dragged) return;
    const { tile, moved } = dragged;
    dragged = null;
    tile.classList.remove("dragged");
    if (moved) changed(tile);
    else if (event.type === "pointerup") location.assign(tile.querySelector("a").href);
  }

  function press(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const [width, height] = [Number(tile.dataset.width), Number(tile.dataset.height)];
    const before = () => tile.previousElementSibling?.before(tile);
    const after = () => tile.nextElementSibling?.after(tile);
    const act = event.shiftKey
      ? {
          ArrowLeft: () => size(tile, width - 1, height),
          ArrowRight: () => size(tile, width + 1, height),
          ArrowUp: () => size(tile, width, height - 1),
          ArrowDown: () => size(tile, width, height + 1),
        }[event.key]
      : { ArrowLeft: before, ArrowUp: before, ArrowRight: after, ArrowDown: after }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    // A moved element loses the focus.
    event.target.focus();
    changed(tile);
  }

  for (const tile of tiles()) {
    const corner = document.createElement("span");
    corner.className = "corner";
    tile.append(corner);
  }
  list.classList.add("movable");
  list.addEventListener("pointerdown", begin);
  list.addEventListener("pointermove", move);
  list.addEventListener("pointerup", end);
  list.addEventListener("pointercancel", end);
  // A drag also ends with a click; a press without a drag is handled above.
  list.addEventListener("click", (event) => event.detail > 0 && event.preventDefault());
  list.addEventListener("keydown", press);
}
