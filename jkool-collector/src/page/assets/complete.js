// The query line is completed with names and values of the store, by the browser's own list: its keys and its voice are known.
const field = document.querySelector("form.filter [name=q]");
const list = document.getElementById("completions");
// So long nothing is typed, in milliseconds, before it is asked.
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
