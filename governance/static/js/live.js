// The log's list: an entry opens beside it (data-opens), and new entries are counted (data-live), never pushed under the reader's eyes.

const band = document.querySelector("[data-log]");
const panel = document.getElementById("panel");
const wide = matchMedia("(min-width: 1100px)");
let asked = 0;

function mark(id) {
  for (const row of band.querySelectorAll("[data-entry]")) {
    row.classList.toggle("c-on", row.dataset.entry === id);
    if (row.dataset.entry === id) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
  }
  const address = new URL(location.href);
  if (id) address.searchParams.set("entry", id); else address.searchParams.delete("entry");
  history.replaceState(history.state, "", address);
}

async function open(address) {
  const mine = ++asked;
  const reply = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "aside#panel" } }).catch(() => null);
  if (mine !== asked) return;
  if (!reply?.ok || reply.redirected) { location.assign(address); return; }
  const text = await reply.text();
  if (mine !== asked) return;
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  panel.querySelector(".c-panel").replaceChildren(...fresh.childNodes);
  panel.hidden = false;
  band.classList.add("c-band-log");
  mark(address.split("/").pop());
  panel.dispatchEvent(new Event("panel:shown", { bubbles: true }));
}

function close() {
  const row = band.querySelector("[data-entry].c-on a[data-opens]");
  panel.hidden = true;
  band.classList.remove("c-band-log");
  mark("");
  row?.focus();
}

if (band && panel) {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest?.("a[data-opens], a[data-closes]");
    if (!link || !band.contains(link)) return;
    event.preventDefault();
    if (link.matches("[data-closes]")) close();
    else if (wide.matches) open(link.dataset.opens);
    else location.assign(link.dataset.opens);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden && panel.contains(document.activeElement)) close();
  });
}

// ---- the tail: asked for while somebody looks at the page

const dot = document.querySelector("[data-live]");
const pill = document.querySelector("[data-new]");
const EVERY = 5000;
const PATIENCE = 600_000; // a page that nobody touched for ten minutes does not keep a session alive
let touched = Date.now();

async function ask() {
  if (!dot.isConnected) return;
  if (!document.hidden && Date.now() - touched < PATIENCE) {
    const reply = await fetch(dot.dataset.live, { headers: { Accept: "application/json" } }).catch(() => null);
    if (reply && (reply.redirected || (!reply.ok && reply.status < 500))) { dot.hidden = true; return; }
    if (reply?.ok) {
      const { count, words } = await reply.json();
      const text = pill.querySelector("span");
      if (count && text.textContent !== words) text.textContent = words;
      pill.hidden = !count;
    }
  }
  setTimeout(ask, EVERY);
}

if (dot && pill) {
  for (const kind of ["pointermove", "keydown", "scroll"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
  setTimeout(ask, EVERY);
}
