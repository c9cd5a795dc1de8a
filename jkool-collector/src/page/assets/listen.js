// Server-sent events, over whatever interrupts them.

/**
 * Hands each event of `url` to the handler of its name. A page that is not looked at gives its connection up, for a browser has few
 * to one address. It looks again every so many milliseconds, until an event came, if `background` says so.
 */
export function listen(url, handlers, { opened = () => {}, lost = () => {}, background = 0 } = {}) {
  let wait = 1000;
  let source = null;
  let again = 0;
  let left = false; // for another page; the browser may keep this one to come back to
  function rest(time) {
    clearTimeout(again);
    source?.close();
    if (time) again = setTimeout(connect, time);
  }
  function connect() {
    rest(0);
    if (left || (document.hidden && !background)) return;
    source = new EventSource(url);
    source.addEventListener("open", () => {
      wait = 1000;
      opened();
    });
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        handler(event);
        if (document.hidden) rest(background);
      });
    }
    source.addEventListener("error", () => {
      // The browser would give up on some errors; and it would ask too often.
      lost();
      rest(wait);
      wait = Math.min(wait * 2, 15000);
    });
  }
  document.addEventListener("visibilitychange", connect);
  for (const kind of ["pagehide", "pageshow"]) {
    window.addEventListener(kind, (event) => {
      left = kind === "pagehide";
      if (left || event.persisted) connect();
    });
  }
  connect();
}
