// The server keeps the theme and answers a choice with this event; the page turns without a reload.

document.addEventListener("larouter:theme", ({ detail }) => {
  document.documentElement.dataset.theme = detail.value;
});
