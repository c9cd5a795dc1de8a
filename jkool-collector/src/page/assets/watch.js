// The mark of a watch on each page, in its title and in its icon, which are visible from other tabs.
import { listen } from "./listen.js";
import { showTimes } from "./time.js";

const SIGN = "(!) ";
const mark = document.querySelector("#watch[data-watch]");
const icon = document.querySelector("link[rel=icon]");

function say(holds) {
  const title = document.title.startsWith(SIGN) ? document.title.slice(SIGN.length) : document.title;
  document.title = holds ? SIGN + title : title;
  icon.href = icon.href.replace(/favicon(-alert)?\.svg$/, holds ? "favicon-alert.svg" : "favicon.svg");
}

/** Shows the current mark: the sentence, which screen readers announce, and the list below it. */
function show(fresh) {
  showTimes(fresh);
  const [said, now] = [mark, fresh].map((root) => root.querySelector(".mark"));
  const list = fresh.querySelector("details");
  if (list) list.open = mark.querySelector("details")?.open ?? false;
  said.className = now.className;
  said.replaceChildren(...now.childNodes);
  now.remove();
  while (said.nextSibling) said.nextSibling.remove();
  mark.append(fresh);
  mark.classList.remove("lost");
  say(said.matches(".holds"));
}

if (mark) {
  const parser = document.createElement("template");
  const told = (event) => {
    parser.innerHTML = event.data;
    show(parser.content);
  };
  say(mark.querySelector(".holds") !== null);
  // Without a connection the mark may be outdated, and is shown as such.
  listen(mark.dataset.watch, { mark: told }, { background: 5000, lost: () => mark.classList.add("lost") });
}
