// Times in the reader's zone or in UTC. The server writes UTC; the choice is kept in the browser.

const KEPT = "jkool.time";
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const two = (number) => String(number).padStart(2, "0");

/** The reader's zone, as `Europe/Berlin`. */
export const zone = timeZone ?? "UTC";

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden: then it is not remembered
  }
}

let local = kept() !== "utc";

export const isLocal = () => local;

/** The reader's zone at that time, as `UTC+2`. */
function offset(date) {
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${two(rest)}` : ""}`;
}

// Two spellings of the same time, to the millisecond: the day, and the time of the day.
const inUtc = (date) => date.toISOString().slice(0, 23).split("T");
const inZone = (date) => [
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`,
];

/** Writes every time within `root` as the reader wants it. */
export function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    const day = time.querySelector(".day");
    if (!day || Number.isNaN(date.getTime())) continue;
    const [said, clock] = (local ? inZone : inUtc)(date);
    if (day.textContent !== said) day.textContent = said;
    day.nextSibling.data = ` ${clock}`;
    time.title = `${time.dateTime} (UTC)\n${inZone(date).join(" ")} (${offset(date)}, ${zone})`;
  }
  for (const tick of root.querySelectorAll("text[data-time]")) {
    const date = new Date(tick.dataset.time);
    if (Number.isNaN(date.getTime())) continue;
    const [day, clock] = (local ? inZone : inUtc)(date);
    // Midnight says which day begins.
    tick.textContent = clock.startsWith("00:00:00") ? day : clock.slice(0, tick.dataset.grain === "minute" ? 5 : 8);
  }
  const name = local ? offset(new Date()) : "UTC";
  for (const said of root.querySelectorAll(".zone-name")) said.textContent = name;
}

const choice = document.getElementById("zone");
if (choice) {
  const button = document.createElement("button");
  button.type = "button";
  button.id = "zone";
  const say = () => {
    button.textContent = local ? `Local time (${offset(new Date())})` : "UTC";
    button.title = local ? `Times are those of ${zone}. Show UTC` : `Times are those of UTC. Show those of ${zone}`;
  };
  button.addEventListener("click", () => {
    local = !local;
    try {
      localStorage.setItem(KEPT, local ? "local" : "utc");
    } catch {
      // storage may be forbidden: then it is not remembered
    }
    say();
    showTimes(document);
    document.dispatchEvent(new CustomEvent("zone"));
  });
  say();
  choice.replaceWith(button);
}
