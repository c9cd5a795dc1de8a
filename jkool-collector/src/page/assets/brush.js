// Selects a range by dragging over a picture, and puts it into the URL. data-from and data-to contain the time range of the
// picture: times, or microseconds. data-low and data-high, if present, contain the values at its bottom and top, on a logarithmic
// scale. data-names contains the names of the parameters, in this order.

const PICTURES = "[data-from] svg:not(.y-axis, .x-axis)";
const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
mark.setAttribute("class", "brush");

let svg = null; // the picture of the current drag
let began = [0, 0]; // fractions of the width, and of the height from the bottom
let dragged = false;

/** Shows that dragging is possible. */
export function invite(root) {
  for (const hint of root.querySelectorAll(".drag")) hint.hidden = false;
}

/** Whether a drag is in progress, so that nothing may move. */
export const dragging = () => svg !== null;

const within = (part) => Math.min(Math.max(part, 0), 1);

function place(event) {
  const box = svg.getBoundingClientRect();
  return [within((event.clientX - box.left) / box.width), within((box.bottom - event.clientY) / box.height)];
}

/** Returns the ends of the drag along the width, or along the height of a picture with values; null if it is too short. */
function along(axis, event) {
  if (axis === 1 && !svg.closest("[data-low]")) return null;
  const ends = [began[axis], place(event)[axis]].sort((a, b) => a - b);
  return (ends[1] - ends[0]) * (axis === 0 ? svg.clientWidth : svg.clientHeight) < 4 ? null : ends;
}

/** Returns the URL parameters of the selected range. */
function chosen(event) {
  const { from, to } = svg.closest("[data-from]").dataset;
  const { low, high, names = "since until" } = svg.closest("[data-names]")?.dataset ?? {};
  const isTime = Number.isNaN(Number(from));
  const [start, end] = [from, to].map((text) => (isTime ? new Date(text).getTime() : Number(text)));
  const at = (part) => Math.round(start + part * (end - start));
  const times = along(0, event)?.map((part) => (isTime ? new Date(at(part)).toISOString() : at(part))) ?? [];
  const values = along(1, event)?.map((part) => Math.round(low * (high / low) ** part)) ?? [];
  const [first, last, least, most] = names.split(" ");
  return Object.entries({ [first]: times[0], [last]: times[1], [least]: values[0], [most]: values[1] }).filter(([, value]) => value !== undefined);
}

document.addEventListener("pointerdown", (event) => {
  dragged = false;
  svg = event.button === 0 ? (event.target.closest?.(PICTURES) ?? null) : null;
  if (svg) began = place(event);
});
document.addEventListener("pointermove", (event) => {
  if (!svg) return;
  const [across, up] = [along(0, event), along(1, event)];
  if (!dragged && !across && !up) return;
  dragged = true;
  const [left, right] = across ?? [0, 1];
  const [bottom, top] = up ?? [0, 1];
  const { width, height } = svg.viewBox.baseVal;
  mark.setAttribute("x", left * width);
  mark.setAttribute("width", (right - left) * width);
  mark.setAttribute("y", (1 - top) * height);
  mark.setAttribute("height", (top - bottom) * height);
  svg.append(mark);
});
document.addEventListener("pointercancel", () => {
  svg = null;
  mark.remove();
});
document.addEventListener("pointerup", (event) => {
  if (svg && dragged) {
    const url = new URL(location.href);
    for (const [name, value] of chosen(event)) url.searchParams.set(name, value);
    for (const place of ["before", "skip"]) url.searchParams.delete(place);
    location.assign(url);
  }
  svg = null;
});
document.addEventListener("dragstart", (event) => event.target.closest?.(PICTURES) && event.preventDefault());
// A drag that ends on a bar is not a click on it.
document.addEventListener("click", (event) => dragged && event.target.closest?.(PICTURES) && event.preventDefault(), { capture: true });
