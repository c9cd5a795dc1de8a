// Shows times in the user's time zone or in UTC. The server writes UTC; the browser stores the choice.

const KEPT = "jkool.time";
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const two = (number) => String(number).padStart(2, "0");

/** The user's time zone, such as `Europe/Berlin`. */
export const zone = timeZone ?? "UTC";

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

let local = kept() !== "utc";

export const isLocal = () => local;

/** Returns the offset of the user's time zone at that time, such as `UTC+2`. */
function offset(date) {
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${two(rest)}` : ""}`;
}

// The date and the time of day, to the millisecond, in UTC or in the user's time zone.
const inUtc = (date) => date.toISOString().slice(0, 23).split("T");
const inZone = (date) => [
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`,
];

/** Shows all times within `root` in the chosen time zone. */
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
    // At midnight the label is the date.
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
      // storage may be forbidden: then the choice is not stored
    }
    say();
    showTimes(document);
    document.dispatchEvent(new CustomEvent("zone"));
  });
  say();
  choice.replaceWith(button);
}
