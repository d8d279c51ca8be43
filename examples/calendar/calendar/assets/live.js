// Loads the page again when the calendar says that it is out of date. Without this
// script everything works; the person presses reload.
const seen = document.currentScript.dataset.seen;
let stream;

function follow() {
  if (document.visibilityState === "visible") {
    stream = new EventSource("/live?seen=" + encodeURIComponent(seen));
    stream.onmessage = () => { stream.close(); location.reload(); };
  } else if (stream) {
    stream.close(); // browsers allow six connections to a server
  }
}

document.addEventListener("visibilitychange", follow);
// Signing out makes the page out of date: to load it again would break off the way out.
document.addEventListener("submit", () => stream?.close());
follow();
