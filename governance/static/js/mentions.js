// A person chosen in the menu of a comment goes into its text, where the cursor was. Without a script the menu is a link to
// the list of addresses.

document.addEventListener("click", (event) => {
  const choice = event.target.closest?.("button[data-mention]");
  const text = choice?.closest("form[data-mentions]")?.querySelector("textarea");
  if (!text) return;
  const [before, after] = [text.value.slice(0, text.selectionStart), text.value.slice(text.selectionEnd)];
  const half = /(^|\s)@[^\s@]*$/.exec(before); // what was typed of it
  const kept = half ? before.slice(0, half.index + half[1].length) : before;
  const space = kept && !/\s$/.test(kept) ? " " : "";
  const written = `${kept}${space}${choice.dataset.mention} `;
  text.value = written + after.replace(/^ /, "");
  text.closest("form").querySelector("details").removeAttribute("open");
  text.focus();
  text.setSelectionRange(written.length, written.length);
});

// @ at the start of a word opens the menu, and what follows narrows it.
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-mentions]");
  if (!form || event.target.tagName !== "TEXTAREA") return;
  const typed = /(?:^|\s)@([^\s@]*)$/.exec(event.target.value.slice(0, event.target.selectionStart));
  const menu = form.querySelector("details");
  if (typed && !menu.open) menu.open = true;
  if (!typed && menu.open) menu.open = false;
  const wanted = (typed?.[1] ?? "").toLowerCase();
  for (const choice of menu.querySelectorAll("button[data-mention]"))
    choice.parentElement.hidden = !choice.textContent.toLowerCase().includes(wanted);
});
