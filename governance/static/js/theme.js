// The theme form answers at once; the server keeps the choice in a cookie. Without JavaScript the form reloads the page.

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-theme]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button[name=theme]");
  const body = new FormData(form);
  body.set("theme", button.value);
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(body), redirect: "manual" }).catch(() => null);
  if (!answer || answer.status >= 400) { HTMLFormElement.prototype.submit.call(withValue(form, button)); return; }
  const dark = button.value === "dark";
  document.documentElement.dataset.bsTheme = button.value;
  button.value = dark ? "light" : "dark";
  button.lastChild.textContent = dark ? "Light theme" : "Dark theme";
  const use = button.querySelector("use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#i-\w+/, dark ? "#i-sun" : "#i-moon"));
});

function withValue(form, button) {
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "theme", value: button.value }));
  return form;
}
