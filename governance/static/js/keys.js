// Keys of a list: / searches, j and k walk rows (data-row), or go to the next and previous item (data-step), ↵ opens, x selects, e edits (data-edit, or data-edits of the table behind the row's address), a acknowledges (data-key="a"), ? shows the keys.
// On every page z goes to the button that undoes the last change (data-undo).

let at = -1;

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const link = (row) => row?.querySelector("a[data-opens]") ?? row?.querySelector("a[href]");

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const held = all.findIndex((row) => row.contains(document.activeElement));
  if (held >= 0) at = held;
  all[at]?.classList.remove("c-cursor");
  at = Math.max(0, Math.min(all.length - 1, at + step));
  all[at].classList.add("c-cursor");
  (link(all[at]) ?? all[at].querySelector("button, input"))?.focus({ preventScroll: true });
  all[at].scrollIntoView({ block: "nearest" });
}

// On the page of an item of a list: its neighbour.
function step(key) {
  const links = document.querySelectorAll("[data-step]");
  document.querySelector(`[data-step="${key}"]`)?.click();
  return links.length > 0;
}

// The button of the alert that the row names, or is; otherwise the first one of the page.
function acknowledge(row) {
  const named = row?.dataset.alert && document.querySelector(`form[action*="${row.dataset.alert}"] [data-key='a']`);
  return named || row?.querySelector("[data-key='a']") || document.querySelector("[data-key='a']");
}

// The page that edits a row: its own, or the one behind the address of its link. Without a row, what edits the page's item.
function edit(row) {
  const tail = row?.closest("[data-edits]")?.dataset.edits;
  const address = row?.dataset.edit ?? (tail && link(row) ? link(row).pathname + tail : null);
  if (address) location.assign(address);
  else if (!row) document.querySelector("main a[data-edit]")?.click();
}

const acts = {
  "/": () => document.querySelector("[data-key='/']")?.focus(),
  j: () => step("j") || walk(1),
  k: () => step("k") || walk(-1),
  x: () => rows()[at]?.querySelector("[data-tick]")?.click(),
  e: () => edit(rows()[at]),
  a: () => acknowledge(rows()[at])?.click(),
  z: () => document.querySelector("[data-undo]")?.focus(),
  "?": () => document.getElementById("shortcuts")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("[data-key]")) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("focusin", (event) => {
  const all = rows();
  const held = all.findIndex((row) => row.contains(event.target));
  if (held < 0 || held === at) return;
  all[at]?.classList.remove("c-cursor");
  at = held;
});
