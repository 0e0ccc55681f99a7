// Dialogs (data-open="id", data-close), menus (<details class="c-menu">), the busy word of a button, the error summary.

const opener = (event) => event.target.closest?.("[data-open]");

document.addEventListener("click", (event) => {
  const from = opener(event);
  const dialog = from && document.getElementById(from.dataset.open);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    from.closest("details.c-menu")?.removeAttribute("open");
    dialog.showModal();
  }
  event.target.closest?.("[data-close]")?.closest("dialog")?.close();
  // the scrim belongs to the dialog element itself: a click that lands on it, and on nothing inside, closes
  if (event.target instanceof HTMLDialogElement && outside(event, event.target)) event.target.close();
  for (const menu of document.querySelectorAll("details.c-menu[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

function outside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details.c-menu[open]") ?? document.querySelector("details.c-menu[open]");
  if (!menu) return;
  menu.removeAttribute("open");
  menu.querySelector("summary").focus();
});

// A menu whose content is read when it is first opened (data-load); without a script it holds a link to the page.
document.addEventListener("toggle", async (event) => {
  const menu = event.target.closest?.("details[data-load]");
  if (!menu?.open || menu.dataset.load === "") return;
  const address = menu.dataset.load;
  menu.dataset.load = "";
  const reply = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "div#menu" } }).catch(() => null);
  if (!reply?.ok || reply.redirected) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").body;
  menu.querySelector("[data-loaded]").replaceChildren(...fresh.childNodes);
}, true);

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.busy) return;
  const width = button.getBoundingClientRect().width;
  button.style.minWidth = `${Math.ceil(width)}px`; // through the object model, which the content policy allows
  button.dataset.rest = button.textContent;
  // after the browser has read the form, so that the button's own name and value are sent
  setTimeout(() => { button.lastChild.textContent = button.dataset.busy; button.setAttribute("aria-busy", "true"); });
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.lastChild.textContent = button.dataset.rest;
  }
});

const summary = (root) => root.querySelector?.("[data-errors]")?.focus();
summary(document);
document.addEventListener("htmx:after:swap", (event) => summary(event.target));
