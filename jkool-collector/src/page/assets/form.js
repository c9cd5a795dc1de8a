// The filter form: short URLs, and times in the user's time zone.
import { isLocal, zone } from "./time.js";

// Values that need no time zone: ages, whole numbers, now, and times with a zone.
const ZONELESS = /^(now|[\d\s]+|(\d+\s*[a-z]+\s*)+(ago)?|.*(Z|UTC|GMT|[+-]\d\d:?\d\d|\/\w+))$/i;

for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (!field.name) continue;
      const said = field.value.trim();
      // Empty parameters are left out of the URL.
      if (!said) field.disabled = true;
      else if (field.matches("[data-moment]") && isLocal() && !ZONELESS.test(said)) field.value = `${said} ${zone}`;
    }
  });
}

// Restores the form when the browser returns to the page.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form.filter [disabled]")) field.disabled = false;
});
