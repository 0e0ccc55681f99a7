// Keys of the heat map (data-heat): ← and → walk the cells and the peek below follows; ↵ opens, as on every link.

let wait = 0;
let asked = 0;

async function peek(cell) {
  const mine = ++asked;
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("sel", cell.id);
  try {
    const reply = await fetch(address, { credentials: "same-origin" });
    if (!reply.ok || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("peek");
    const old = document.getElementById("peek");
    if (!fresh || !old || mine !== asked) return;
    old.replaceWith(document.adoptNode(fresh));
    history.replaceState(history.state, "", address);
  } catch { /* the cells stay links, and the peek stays as it was */ }
}

function select(map, cell) {
  for (const other of map.querySelectorAll(".c-hc-sel")) {
    other.classList.remove("c-hc-sel");
    other.removeAttribute("aria-current");
  }
  cell.classList.add("c-hc-sel");
  cell.setAttribute("aria-current", "true");
  cell.focus();
  clearTimeout(wait);
  wait = setTimeout(() => peek(cell), 120);
}

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const map = event.target.closest?.("[data-heat]");
  if (!step || !map || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const cells = [...map.querySelectorAll("a.c-hc")];
  const next = cells[cells.indexOf(event.target.closest("a.c-hc")) + step];
  if (!next) return;
  event.preventDefault();
  select(map, next);
});
