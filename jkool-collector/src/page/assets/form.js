// The filter's form: short urls, and times in the reader's zone.
import { isLocal, zone } from "./time.js";

// What needs no zone: ages, whole numbers, now, and whatever names a zone.
const ZONELESS = /^(now|[\d\s]+|(\d+\s*[a-z]+\s*)+(ago)?|.*(Z|UTC|GMT|[+-]\d\d:?\d\d|\/\w+))$/i;

for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (!field.name) continue;
      const said = field.value.trim();
      // Parameters that say nothing are left out of the url.
      if (!said) field.disabled = true;
      else if (field.matches("[data-moment]") && isLocal() && !ZONELESS.test(said)) field.value = `${said} ${zone}`;
    }
  });
}

// A page that comes back by the browser's button takes its form up again.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form.filter [disabled]")) field.disabled = false;
});
