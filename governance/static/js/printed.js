// On paper each page says at its foot what it is of: the address and the time of the page (the margin box of @page in
// console.css shows it, where the browser has margin boxes; the end of the page says it in every browser).

const said = document.querySelector("[data-printed]");
if (said) document.documentElement.style.setProperty("--c-printed", JSON.stringify(said.textContent.replace(/\s+/g, " ").trim()));

// Paper is white: what is dark on the screen is light on it.
const root = document.documentElement;
let worn = null;
addEventListener("beforeprint", () => { worn = root.dataset.bsTheme; root.dataset.bsTheme = "light"; });
addEventListener("afterprint", () => { if (worn) root.dataset.bsTheme = worn; worn = null; });
