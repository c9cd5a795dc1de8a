// Server-sent events, over whatever interrupts them.

/**
 * Hands each event of `url` to the handler of its name. A page that is not looked at gives its connection up, for a browser has few
 * to one address, unless it listens in the `background` too.
 */
export function listen(url, handlers, { opened = () => {}, lost = () => {}, background = false } = {}) {
  let wait = 1000;
  let source = null;
  let again = 0;
  function connect() {
    clearTimeout(again);
    source?.close();
    if (document.hidden && !background) return;
    source = new EventSource(url);
    source.addEventListener("open", () => {
      wait = 1000;
      opened();
    });
    for (const [name, handler] of Object.entries(handlers)) source.addEventListener(name, handler);
    source.addEventListener("error", () => {
      // The browser would give up on some errors; and it would ask too often.
      source.close();
      lost();
      again = setTimeout(connect, wait);
      wait = Math.min(wait * 2, 15000);
    });
  }
  if (!background) document.addEventListener("visibilitychange", connect);
  connect();
}
