// data-copy="text": copies it and says so for two seconds, to the eye and to a screen reader.

const voice = document.createElement("div");
voice.className = "c-hide";
voice.setAttribute("role", "status");
document.body.append(voice);

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    voice.textContent = "Not copied: your browser blocked it";
    return;
  }
  voice.textContent = "Copied";
  const use = button.querySelector("use");
  const drawn = use?.getAttribute("href");
  use?.setAttribute("href", drawn.replace("#i-copy", "#i-check"));
  setTimeout(() => { use?.setAttribute("href", drawn); voice.textContent = ""; }, 2000);
});
