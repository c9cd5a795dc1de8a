// Completes the query line with names and values from the store, in the browser's own list, which is accessible.
const field = document.querySelector("form.filter [name=q]");
const list = document.getElementById("completions");
// The milliseconds after the last key until suggestions are requested.
const PAUSE = 150;
let waiting;
let asked = 0;

async function complete() {
  const mine = ++asked;
  const line = field.value;
  const answer = await fetch(`/api/complete?${new URLSearchParams({ line })}`).catch(() => null);
  if (!answer?.ok || mine !== asked) return;
  const { lines } = await answer.json();
  list.replaceChildren(...lines.map((line) => new Option("", line)));
}

if (field && list) {
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(complete, PAUSE);
  });
  field.addEventListener("focus", complete);
}
