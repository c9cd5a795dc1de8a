// The mark of a watch: on the page, in its title and in its icon, which are seen while one looks at something else.
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

if (mark) {
  const parser = document.createElement("template");
  const holds = () => mark.querySelector(".holds") !== null;
  const show = (event) => {
    parser.innerHTML = event.data;
    showTimes(parser.content);
    mark.replaceChildren(parser.content);
    mark.classList.remove("lost");
    say(holds());
  };
  say(holds());
  // What is not known is not told as if it were.
  listen(mark.dataset.watch, { mark: show }, { background: true, lost: () => mark.classList.add("lost") });
}
