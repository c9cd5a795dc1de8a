// Additions to the pages, which all work without the script. Each part is a module.
import "./complete.js";
import "./explore.js";
import "./form.js";
import "./keys.js";
import "./links.js";
import "./map.js";
import "./watch.js";
import { arrange } from "./arrange.js";
import { invite } from "./brush.js";
import { showCopies } from "./copy.js";
import { foldable } from "./fold.js";
import { refresh } from "./refresh.js";
import { settle } from "./rows.js";
import { showTimes } from "./time.js";
import { steppable } from "./trace.js";
import { tail } from "./live.js";

showTimes(document);
showCopies(document);
invite(document);
foldable(document);
steppable(document);
for (const list of document.querySelectorAll("ol.rows")) settle(list);

const live = document.querySelector("#rows[data-tail]");
if (live) tail(live);

const refreshed = document.querySelector("[data-live]");
if (refreshed) refresh(refreshed);

const tiles = document.querySelector("ol.arrange");
if (tiles) arrange(tiles);
