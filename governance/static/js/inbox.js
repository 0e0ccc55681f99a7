// The inbox: the row under the cursor opens beside the list (data-preview), s snoozes, and rows whose work somebody else has
// done turn grey (data-keys) until the person leaves.

const band = document.querySelector("[data-inbox]");
const panel = document.getElementById("preview");
const wide = matchMedia("(min-width: 1100px)");
const PAUSE = 120;
const EVERY = 30_000;
let asked = 0;
let shown = null;
let timer;

function grey(row) {
  if (row.classList.contains("c-gone")) return;
  row.classList.add("c-gone");
  const tick = row.querySelector("[data-tick]");
  if (tick) { tick.checked = false; tick.disabled = true; tick.dispatchEvent(new Event("change", { bubbles: true })); }
  row.querySelector(".c-dueby").textContent = "Done or moved";
}

async function load(row) {
  const mine = ++asked;
  const reply = await fetch(row.dataset.preview, { headers: { "HX-Request": "true", "HX-Target": "section#preview" } }).catch(() => null);
  if (mine !== asked || !reply || reply.redirected || (!reply.ok && reply.status !== 404)) return;
  const text = await reply.text();
  if (mine !== asked) return;
  if (reply.status === 404) grey(row);
  panel.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
}

function show(row) {
  if (!row || row === shown) return;
  shown?.removeAttribute("aria-current");
  shown = row;
  row.setAttribute("aria-current", "true");
  clearTimeout(timer);
  if (wide.matches) timer = setTimeout(load, PAUSE, row);
}

async function refresh() {
  if (document.hidden) return;
  const reply = await fetch(band.dataset.keys, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!reply?.ok || reply.redirected) return;
  const here = new Set((await reply.json()).items);
  for (const row of band.querySelectorAll("[data-item]")) if (!here.has(row.dataset.item)) grey(row);
}

function snooze() {
  const bulk = document.querySelector("[data-bulk-bar]:not([hidden]) [data-bulk-snooze]");
  (bulk ?? panel.querySelector("[data-snooze]"))?.focus();
}

if (band && panel) {
  shown = band.querySelector("[data-row]");
  band.addEventListener("focusin", (event) => show(event.target.closest("[data-row]")));
  band.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, label, select")) event.target.closest("[data-row]")?.querySelector("a")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
    if (event.key !== "s" || event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    snooze();
  });
  if (!new URL(location.href).searchParams.has("view")) {
    document.addEventListener("visibilitychange", refresh);
    addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
    setInterval(refresh, EVERY);
  }
}
