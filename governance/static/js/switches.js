// A stop's first minute is asked for again (data-obeyed); the stop form says in its button what it stops (data-stop).

const EVERY = 1000;

async function follow(part) {
  const until = Date.now() + Number(part.dataset.for) * 1000;
  while (part.isConnected && Date.now() < until) {
    await new Promise((wake) => { setTimeout(wake, EVERY); });
    if (document.hidden || part.contains(document.activeElement) || part.querySelector("details[open]")) continue;
    const reply = await fetch(part.dataset.obeyed, { headers: { Accept: "text/html" } }).catch(() => null);
    if (reply && (reply.redirected || (!reply.ok && reply.status < 500))) return;
    if (!reply?.ok) continue;
    const text = await reply.text();
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    // when everybody has obeyed, or it is over, the rest of the page has changed too
    const settled = fresh.querySelector("[data-settled]") && !part.querySelector("[data-settled]");
    if (settled && !document.querySelector("dialog[open]")) { location.reload(); return; }
    if (text === part.dataset.shown) continue;
    part.dataset.shown = text;
    part.replaceChildren(...fresh.childNodes);
  }
}

for (const part of document.querySelectorAll("[data-obeyed]")) follow(part);

function name(form) {
  const chosen = form.querySelector("input[name=what]:checked")?.closest("label");
  const button = form.querySelector(".btn-stop");
  const words = chosen?.querySelector("b")?.textContent;
  if (words && !button.hasAttribute("aria-busy")) button.lastChild.textContent = `Stop ${words.replace(/^All/, "all")}`;
}

for (const form of document.querySelectorAll("form[data-stop]")) {
  form.addEventListener("change", () => name(form));
  // a dialog begins on its scope, never on the red button
  if (form.closest("dialog")) form.querySelector("input[name=what]:checked")?.setAttribute("autofocus", "");
  name(form);
}
