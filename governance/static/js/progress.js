// A progress row follows its work by server-sent events (data-progress); where they fail, by asking (data-poll).

const OVER = new Set(["done", "failed", "cancelled"]);
const PAUSE = 2000;

function show(row, item) {
  row.dataset.state = item.state;
  const step = row.querySelector("[data-step]");
  const words = item.state === "failed" && item.error ? item.error : item.step;
  if (words && step.textContent !== words) step.textContent = words;
  const bar = row.querySelector("progress");
  if (typeof item.percent === "number") bar.value = item.percent;
  row.querySelector("[data-left]").textContent = item.left ?? "";
  if (OVER.has(item.state)) end(row, item);
}

function end(row, item) {
  for (const gone of row.querySelectorAll("progress, [data-left], [data-cancel]")) gone.hidden = true;
  const result = row.querySelector("[data-result]");
  if (result && item.state === "done") { if (item.href) result.href = item.href; result.hidden = false; }
  // on the result's own page the finished one takes its place, unless the reader is at something else there
  const idle = document.activeElement === document.body || row.contains(document.activeElement);
  const there = result && new URL(result.href);
  if (there && item.state === "done" && idle && there.pathname === location.pathname) {
    if (!there.search) there.search = location.search; // with the way back, where the address has one
    location.replace(there.href);
  }
  const again = row.querySelector("[data-again]");
  if (again && item.state !== "done") again.hidden = false;
  row.querySelector("[data-failed]").hidden = item.state !== "failed";
  row.dispatchEvent(new CustomEvent("progress:over", { bubbles: true, detail: item }));
}

function listen(row) {
  const source = new EventSource(row.dataset.progress);
  let heard = false;
  source.addEventListener("message", (event) => {
    heard = true;
    const item = JSON.parse(event.data);
    show(row, item);
    if (OVER.has(item.state)) source.close();
  });
  // the browser reconnects by itself after a break; a stream that never spoke is given up
  source.addEventListener("error", () => {
    if (heard && source.readyState !== EventSource.CLOSED) return;
    source.close();
    if (row.dataset.poll) poll(row);
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

async function poll(row) {
  while (row.isConnected) {
    const answer = await fetch(row.dataset.poll, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const item = await answer.json();
      show(row, item);
      if (OVER.has(item.state)) return;
    } else if (answer && answer.status < 500) return;
    await new Promise((wake) => { setTimeout(wake, PAUSE); });
  }
}

function start() {
  for (const row of document.querySelectorAll("[data-progress]:not([data-followed]), [data-poll]:not([data-followed])")) {
    row.dataset.followed = "";
    if (row.dataset.progress) listen(row); else poll(row);
  }
}

start();
document.addEventListener("htmx:after:swap", start);
