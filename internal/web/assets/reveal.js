// A button beside each password field shows what was typed. Without this file there is
// no button, and nothing else is missing.
"use strict";
for (const input of document.querySelectorAll("input[data-reveal]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.title = input.dataset.reveal;
  button.setAttribute("aria-label", input.dataset.reveal);
  button.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-controls", input.id);
  button.append(document.getElementById("eye").content.cloneNode(true));
  button.addEventListener("click", () => {
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
  });
  const focused = input.autofocus || document.activeElement === input;
  const row = document.createElement("span");
  row.className = "revealing";
  input.replaceWith(row);
  row.append(input, button);
  if (focused) input.focus();
  // A password that is shown must not be kept by the browser as a word that was typed.
  input.form.addEventListener("submit", () => { input.type = "password"; });
}
