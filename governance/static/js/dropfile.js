// A file dropped on a file field (data-drop) is taken as if it had been chosen; the line under it says what was taken.

const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

function say(zone) {
  const line = zone.querySelector("[data-taken]");
  line.dataset.rest ??= line.textContent;
  const files = [...zone.querySelector("input[type=file]").files];
  line.textContent = files.map((file) => `${file.name}, ${size(file.size)}`).join("; ") || line.dataset.rest;
}

const zoneOf = (event) => event.target.closest?.("[data-drop]");
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault(); // a file that misses the field must not replace the page
  zoneOf(event)?.classList.add("c-drop-over");
});
document.addEventListener("dragleave", (event) => zoneOf(event)?.classList.remove("c-drop-over"));
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  const zone = zoneOf(event);
  if (!zone) return;
  zone.classList.remove("c-drop-over");
  const input = zone.querySelector("input[type=file]");
  const taken = new DataTransfer();
  for (const file of input.multiple ? event.dataTransfer.files : [...event.dataTransfer.files].slice(0, 1)) taken.items.add(file);
  input.files = taken.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("change", (event) => { const zone = zoneOf(event); if (zone && event.target.type === "file") say(zone); });
