// What the last request did is in the page when it loads, where a screen reader may not announce it: writing the same text
// again inside the live region makes it an update, which is announced.

addEventListener("load", () => setTimeout(() => {
  for (const text of document.querySelectorAll("[data-announce]")) text.textContent = text.textContent;
}, 300));
