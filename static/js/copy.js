// data-copy="id": copies the text of that element. Hidden until this module can do it.

const SHOWN_MS = 1600;

document.addEventListener("htmx:load", ({ detail }) => {
  for (const button of detail.elt.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
});

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const words = button.querySelector("[data-copy-words]");
  try {
    await navigator.clipboard.writeText(source.textContent);
    words.textContent = "Copied";
    button.dataset.copied = "";
  } catch {
    // Not allowed here (a page that is not on loopback or https): leave it to the keyboard.
    getSelection().selectAllChildren(source);
    words.textContent = "Press Ctrl+C";
  }
  setTimeout(() => {
    words.textContent = "Copy";
    delete button.dataset.copied;
  }, SHOWN_MS);
}
