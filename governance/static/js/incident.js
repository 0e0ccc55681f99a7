// The page of an incident (data-incident is the address of its events): when something happened elsewhere, the parts
// named by data-part are taken from the page as it is now. A part in which the reader is at work stays as it is.

const page = document.querySelector("[data-incident]");
let seen = "";

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (now && !part.contains(document.activeElement)) part.replaceChildren(...now.childNodes);
  }
}

if (page) {
  const source = new EventSource(page.dataset.incident);
  source.addEventListener("message", (event) => {
    if (seen && event.data !== seen) refresh();
    seen = event.data;
    if (seen === "gone") source.close();
  });
  addEventListener("pagehide", () => source.close(), { once: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    const note = document.getElementById("text");
    if (!note) return;
    event.preventDefault();
    note.focus();
  });
}
