// A time that is dragged over a picture becomes the filter's. A picture says from when to when it is by data-from and data-to.

const PICTURES = "[data-from] svg:not(.y-axis, .x-axis)";
const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
mark.setAttribute("class", "brush");
mark.setAttribute("height", "100");

let svg = null; // the picture over which one drags
let began = 0;
let dragged = false;

/** Says that one can drag. */
export function invite(root) {
  for (const hint of root.querySelectorAll(".drag")) hint.hidden = false;
}

/** Whether one drags now, so that nothing may move. */
export const dragging = () => svg !== null;

function place(event) {
  const box = svg.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
}

document.addEventListener("pointerdown", (event) => {
  dragged = false;
  svg = event.button === 0 ? (event.target.closest?.(PICTURES) ?? null) : null;
  if (svg) began = place(event);
});
document.addEventListener("pointermove", (event) => {
  if (!svg) return;
  const [left, right] = [began, place(event)].sort((a, b) => a - b);
  if (!dragged && (right - left) * svg.clientWidth < 4) return;
  dragged = true;
  const width = svg.viewBox.baseVal.width;
  mark.setAttribute("x", left * width);
  mark.setAttribute("width", (right - left) * width);
  svg.append(mark);
});
document.addEventListener("pointercancel", () => {
  svg = null;
  mark.remove();
});
document.addEventListener("pointerup", (event) => {
  if (svg && dragged) {
    const { dataset } = svg.closest("[data-from]");
    const [from, to] = [dataset.from, dataset.to].map((time) => new Date(time).getTime());
    const times = [began, place(event)].sort((a, b) => a - b).map((part) => new Date(from + part * (to - from)).toISOString());
    const url = new URL(location.href);
    url.searchParams.set("since", times[0]);
    url.searchParams.set("until", times[1]);
    url.searchParams.delete("before");
    location.assign(url);
  }
  svg = null;
});
document.addEventListener("dragstart", (event) => event.target.closest?.(PICTURES) && event.preventDefault());
// A drag that ends upon a bar is no click on it.
document.addEventListener("click", (event) => dragged && event.target.closest?.(PICTURES) && event.preventDefault(), { capture: true });
