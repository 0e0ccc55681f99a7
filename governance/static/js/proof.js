// Verifies an entry's proof (data-proof) in the reader's own browser: leaf, path, root, the checkpoint's signature, and that
// what the page shows (data-signed) is what was signed. RFC 9162 §2.1.3.2, C2SP signed-note. It sends no request.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
};
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
const same = (one, other) => one.length === other.length && one.every((value, at) => value === other[at]);

class Differs extends Error {}

async function rootFrom(leaf, index, size, path) {
  // BigInt: an index may be larger than what the bit operators of numbers take
  let [at, last, found] = [BigInt(index), BigInt(size) - 1n, leaf];
  if (at > last) throw new Differs("The checkpoint does not cover this entry yet.");
  for (const sibling of path) {
    if (last === 0n) throw new Differs("The proof is too long.");
    if (at & 1n || at === last) {
      found = await sha256([1], sibling, found);
      while (!(at & 1n) && at) { at >>= 1n; last >>= 1n; }
    } else found = await sha256([1], found, sibling);
    at >>= 1n;
    last >>= 1n;
  }
  if (last) throw new Differs("The proof is too short.");
  return found;
}

function opened(note) {
  const cut = note.lastIndexOf("\n\n— ");
  const [origin, size, root] = note.slice(0, cut).split("\n");
  const lines = note.slice(cut + 2).split("\n").filter((line) => line.startsWith("— ")).map((line) => line.slice(2).split(" "));
  return { text: note.slice(0, cut + 1), origin, size, root: bytes(root), lines };
}

async function signed(head, data) {
  if (head.origin !== data.keyName) throw new Differs(`The checkpoint is from ${head.origin}, but the key is from ${data.keyName}.`);
  const publicKey = bytes(data.key);
  const id = (await sha256(new TextEncoder().encode(`${data.keyName}\n`), [1], publicKey)).slice(0, 4);
  const line = head.lines.find(([name, held]) => name === data.keyName && same(bytes(held).slice(0, 4), id));
  if (!line) throw new Differs("The checkpoint is not signed with this log's key.");
  let key;
  try {
    key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  } catch { return false; } // an older browser: only the server verified the signature
  if (!await crypto.subtle.verify({ name: "Ed25519" }, key, bytes(line[1]).slice(4), new TextEncoder().encode(head.text))) throw new Differs("The signature of the checkpoint is invalid.");
  return true;
}

const when = (iso) => {
  const [, day, time, , fraction = ""] = iso.match(/^([\d-]+)T([\d:]+)(\.(\d+))?\+00:00$/) ?? [];
  return `${day} ${time}.${fraction.padEnd(6, "0")} UTC`;
};
const actor = (text, hex) => (text.endsWith("-meridian") ? /^0+$/.test(hex) : hex.startsWith(text.slice(2).replaceAll("-", "")));
const NAMES = { at: "time", actor: "actor", action: "action", outcome: "outcome", origin: "IP address", request_id: "request" };
const OUTCOMES = { done: "Done", denied: "Denied", failed: "Failed" }; // as logbook/presentation.py
const shown = (name, said) => (name === "at" ? when(said.at) : name === "outcome" ? OUTCOMES[said.outcome] ?? said.outcome : said[name]);

function compare(root, said) {
  for (const element of root.querySelectorAll("[data-signed]")) {
    const [name, text] = [element.dataset.signed, element.textContent.trim()];
    const matches = name === "actor" ? actor(text, said.actor) : text === shown(name, said);
    if (!matches) throw new Differs(`This page shows the ${NAMES[name]} ${text}, but the signed one is ${shown(name, said)}.`);
  }
}

async function check(section) {
  const data = section.dataset;
  const body = bytes(data.body);
  const head = opened(data.note);
  const path = data.path ? data.path.split(" ").map(bytes) : [];
  compare(section.closest("#panel") ?? document.querySelector("main"), JSON.parse(new TextDecoder().decode(body)));
  const root = await rootFrom(await sha256([0], body), data.index, head.size, path);
  if (!same(root, head.root)) throw new Differs("The entry doesn't lead to the signed root: the entry, its position or its proof was changed.");
  return { siblings: path.length, signature: await signed(head, data) };
}

const many = (count) => `${count} ${count === 1 ? "sibling hash" : "sibling hashes"}`;

async function show(section) {
  const say = section.querySelector("[data-verdict]");
  if (!globalThis.crypto?.subtle) {
    say.textContent += " Your browser offers no cryptography on this address, so only the server verified the proof.";
    return;
  }
  try {
    const { siblings, signature } = await check(section);
    const drawn = siblings > 3 ? ` The drawing shows 3 of the ${siblings}.` : "";
    say.textContent = `Verified in your browser just now: the entry and its ${many(siblings)} lead to the signed root. Time, actor and action match the signed entry.${drawn}`;
    section.querySelector("[data-signature]").textContent = signature ? "" : "Only the server verified the signature: this browser has no Ed25519.";
    section.querySelector("[data-signature]").hidden = signature;
    section.dataset.checked = signature ? "whole" : "root";
  } catch (problem) {
    section.querySelector("[data-holds]").hidden = true;
    section.querySelector("[data-fails]").hidden = false;
    say.textContent = problem instanceof Differs ? problem.message : "The proof can't be read.";
    say.classList.add("c-down");
    section.dataset.checked = "fails";
  }
}

function start() {
  for (const section of document.querySelectorAll("[data-proof]:not([data-started])")) {
    section.dataset.started = "";
    show(section);
  }
}

start();
document.addEventListener("panel:shown", start);
