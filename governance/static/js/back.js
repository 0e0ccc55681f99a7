// Back to a list as it was: the link to it above an object leads to the same filters, page and place on the page.
// What is remembered is of this tab alone, and ends with the session.

const KEY = "lists";
const MAX_LISTS = 20;
const read = () => JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
const write = (lists) => sessionStorage.setItem(KEY, JSON.stringify(lists));

// leaving a list
addEventListener("pagehide", () => {
  if (!document.querySelector("main [data-row]")) return;
  const { [location.pathname]: _before, ...others } = read();
  const kept = Object.entries(others).slice(1 - MAX_LISTS);
  write({ ...Object.fromEntries(kept), [location.pathname]: { search: location.search, top: scrollY } });
});

// on an object's page
const lists = read();
for (const link of document.querySelectorAll(".c-crumbs a")) {
  const list = lists[link.pathname];
  if (!list || link.search || link.pathname === location.pathname) continue;
  link.search = list.search;
  link.addEventListener("click", () => sessionStorage.setItem("scroll", link.pathname + link.search));
}

// back on the list
if (sessionStorage.getItem("scroll") === location.pathname + location.search) {
  scrollTo(0, lists[location.pathname]?.top ?? 0);
}
sessionStorage.removeItem("scroll");

document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") === "/logout") sessionStorage.clear();
});
