// data-print: a button that prints the page. Hidden until this module can do it.

document.addEventListener("htmx:load", ({ detail }) => {
  for (const button of detail.elt.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});
