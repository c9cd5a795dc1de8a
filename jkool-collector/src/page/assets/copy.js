// Buttons that copy a text of their own, or the text of an element.

const buttons = (root) => root.querySelectorAll("button[data-copy], button[data-copy-from]");

/** Shows the buttons, which are hidden without the script. */
export function showCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of buttons(root)) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy], button[data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? document.querySelector(button.dataset.copyFrom)?.textContent ?? "";
  const said = button.textContent;
  try {
    // Only the browser knows the address of the collector.
    await navigator.clipboard.writeText(text.replaceAll("{origin}", location.origin));
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser forbids it";
  }
  setTimeout(() => (button.textContent = said), 1500);
});
