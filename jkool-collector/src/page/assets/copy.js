// Buttons that copy: what they name, or what an element says.

const buttons = (root) => root.querySelectorAll("button[data-copy], button[data-copy-from]");

/** Shows the buttons, which do nothing without a script. */
export function showCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of buttons(root)) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy], button[data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? document.querySelector(button.dataset.copyFrom)?.textContent ?? "";
  // Where the collector is, the page knows, not the one who made it.
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text.replaceAll("{origin}", location.origin));
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser forbids it";
  }
  setTimeout(() => (button.textContent = said), 1500);
});
