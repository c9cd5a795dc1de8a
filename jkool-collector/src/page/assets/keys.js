// Keyboard shortcuts, and the help that lists them.
import { step } from "./rows.js";

const byId = (id) => document.getElementById(id);

function search() {
  const field = document.querySelector("input[name=q]") ?? document.querySelector("form.filter input");
  field?.focus();
  field?.select();
  return field;
}

function help() {
  byId("help")?.showModal();
  return true;
}

const KEYS = {
  "/": search,
  "?": help,
  j: () => step(1) ?? true,
  k: () => step(-1) ?? true,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === " " && !event.target.closest("a, button, summary") && byId("pause")) {
    event.preventDefault();
    byId("pause").click();
  } else if (KEYS[event.key]?.()) {
    event.preventDefault();
  }
});

const opener = byId("keys");
if (opener) {
  opener.hidden = false;
  opener.addEventListener("click", help);
}
