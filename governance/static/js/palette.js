// ⌘K: the palette asks the server what matches and goes there. A combobox over a listbox, after the ARIA pattern.

const dialog = document.getElementById("palette");
const field = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
const note = dialog?.querySelector("[role=status]");
const rest = note?.textContent;
let chosen = -1;
let asked = 0;
let timer;

function choose(index) {
  const options = [...list.children];
  chosen = options.length ? (index + options.length) % options.length : -1;
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
  if (chosen < 0) field.removeAttribute("aria-activedescendant");
  else {
    field.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  }
}

function option(match, index) {
  const row = document.createElement("li");
  row.id = `palette-${index}`;
  row.setAttribute("role", "option");
  row.dataset.href = match.href;
  row.append(Object.assign(document.createElement("span"), { textContent: match.label }));
  row.append(Object.assign(document.createElement("span"), { textContent: match.hint ?? "", className: "c-meta" }));
  return row;
}

// The last line leads to the page with everything that was found.
const everything = (words) => ({
  label: `All results for “${words}”`, hint: "search", href: `${dialog.dataset.search}?q=${encodeURIComponent(words)}`,
});

function show(matches, words) {
  list.replaceChildren(...matches.map(option));
  field.setAttribute("aria-expanded", String(matches.length > 0));
  const count = matches.length - 1; // without the line that leads to all results
  note.textContent = matches.length ? `${count} ${count === 1 ? "match" : "matches"}` : words;
  choose(0);
}

async function ask() {
  const mine = ++asked;
  const words = field.value.trim();
  if (!words) { show([], rest); return; }
  const address = new URL(dialog.dataset.palette, location.href);
  address.searchParams.set("q", words);
  let found;
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    found = await answer.json();
  } catch {
    if (mine === asked) show([], "Search isn't responding. Type again to retry.");
    return;
  }
  if (mine !== asked) return;
  const matches = Array.isArray(found) ? found : [];
  show(matches.length ? [...matches, everything(words)] : [], `No matches for “${words}”.`);
}

const go = (row) => { if (row?.dataset.href) location.assign(row.dataset.href); };

if (dialog) {
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 90); });
  field.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 };
    if (event.key in steps) { event.preventDefault(); choose(steps[event.key]); }
    if (event.key === "Enter") { event.preventDefault(); go(list.children[chosen]); }
  });
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  dialog.addEventListener("close", () => { asked += 1; field.value = ""; show([], rest); });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    if (dialog.open) dialog.close(); else dialog.showModal();
  });
  // the hint shows the key that this keyboard has
  if (!/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of document.querySelectorAll("kbd")) if (key.textContent === "⌘K") key.textContent = "Ctrl K";
  }
}
