// Server-sent events that reconnect after any interruption.

/**
 * Passes each event of `url` to the handler of its name. A hidden page closes its connection, because browsers limit the number of
 * connections to one address. If `background` is not 0, it connects again at this interval in milliseconds, until an event arrives.
 */
export function listen(url, handlers, { opened = () => {}, lost = () => {}, background = 0 } = {}) {
  let wait = 1000;
  let source = null;
  let again = 0;
  let left = false; // the user went to another page, and may return to this one
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
      // The browser itself would not reconnect after some errors, and too often after others.
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
