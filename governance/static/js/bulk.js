// The bar of a list: it comes with the first ticked row (data-tick) and leaves with the last. Shift ticks a range.

let last = null;

const form = (element) => element.form ?? element.closest("[data-bulk]");
const ticks = (of) => [...document.querySelectorAll("[data-tick]")].filter((box) => form(box) === of);
const master = (of) => of.querySelector("[data-tick-all]");

function show(of) {
  const all = ticks(of);
  const on = all.filter((box) => box.checked);
  const bar = of.querySelector("[data-bulk-bar]");
  for (const box of all) box.closest("tr, [data-row]")?.classList.toggle("c-on", box.checked);
  if (bar) {
    bar.hidden = !on.length;
    bar.querySelector("[data-bulk-count]").textContent = on.length;
  }
  const head = master(of);
  if (head) { head.checked = on.length > 0 && on.length === all.length; head.indeterminate = on.length > 0 && on.length < all.length; }
}

function clear(of) {
  for (const box of ticks(of)) box.checked = false;
  show(of);
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.("[data-tick]")) return;
  const all = ticks(form(box));
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches("[data-tick-all]")) for (const one of ticks(form(box))) one.checked = box.checked;
  if (box.matches("[data-tick], [data-tick-all]")) show(form(box));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-bulk-clear]");
  if (button) clear(form(button));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open], details.c-menu[open]")) return;
  for (const of of document.querySelectorAll("[data-bulk]")) if (ticks(of).some((box) => box.checked)) clear(of);
});

const start = () => { for (const of of document.querySelectorAll("[data-bulk]")) show(of); };
start();
addEventListener("pageshow", start);
document.addEventListener("htmx:after:swap", start);
