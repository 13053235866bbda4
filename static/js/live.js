// data-live: says whether the page is told about new requests, and marks the page when it is not.

const root = document.documentElement;

document.addEventListener("htmx:sseOpen", () => show("connected", "Live"));
document.addEventListener("htmx:sseError", ({ detail }) => {
  // Closed is for good: the server said no, as it does when the session has ended.
  const isOver = detail.source.readyState === EventSource.CLOSED;
  show("lost", isOver ? "Stopped: reload the page" : "Reconnecting");
});

function show(connection, words) {
  root.dataset.connection = connection;
  for (const element of document.querySelectorAll("[data-live]")) {
    element.hidden = false;
    element.querySelector("[data-live-words]").textContent = words;
  }
}
