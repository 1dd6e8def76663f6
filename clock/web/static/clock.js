// Updates a page in place, keeping focus and selection. Without scripts, links and forms do all
// of it.
"use strict";

const root = document.body.dataset.root;
const live = document.body.dataset.live;
const csrf = document.body.dataset.csrf;
const events = document.getElementById("events");
const PERIOD = 4000; // milliseconds between two requests
let ahead = document.body.dataset.now * 1000 - Date.now(); // how far the server's clock is ahead of the browser's, in milliseconds

// Instants

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function span(seconds) {
  let rest = Math.max(Math.round(seconds), 0);
  const parts = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count) parts.push(`${count} ${unit}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

function relative(seconds) {
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function tick() {
  const now = Date.now() + ahead;
  for (const time of document.querySelectorAll("time.ago")) {
    setText(time, relative((Date.parse(time.dateTime) - now) / 1000));
  }
}

// The time in the browser's zone, if it differs from the event's.
const ours = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

function localise(part) {
  for (const time of part.querySelectorAll("time.exact")) {
    const local = ours.format(new Date(time.dateTime)).replace(",", "").replace(/^(.*:.*):00$/, "$1");
    const shown = time.textContent;
    const last = time.nextElementSibling;
    if (time.parentNode.querySelector(".here")) continue;
    const [weekday, clock] = local.split(" ");
    if (shown.startsWith(weekday) && shown.includes(clock)) continue;
    const utc = last && last.className === "utc" ? last : null;
    if (utc && utc.textContent.startsWith(clock)) continue;
    const here = document.createElement("span");
    here.className = "here";
    here.textContent = `${shown.startsWith(weekday) ? clock : local} here`;
    (utc || time).after(" ", here);
  }
}

// Changes only what differs, so focus, selection and open details stay.

function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName || from.nodeType !== to.nodeType) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== "open" && name !== "hidden") from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  const had = [...from.childNodes];
  const has = [...to.childNodes];
  had.forEach((node, at) => (at < has.length ? morph(node, has[at]) : node.remove()));
  has.slice(had.length).forEach((node) => from.append(node));
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localise(template.content);
  return template.content;
}

function patchRow(number, html) {
  const row = events.querySelector(`tr[data-number="${number}"]`);
  if (!row) return;
  morph(row, parsed(html).querySelector("tr"));
  const same = events.querySelector(`tr[data-number="${number}"]`);
  same.classList.remove("changed");
  void same.offsetWidth; // restarts the animation
  same.classList.add("changed");
}

// Requests to the server

async function look() {
  if (live === "rows" && events) await lookAtRows();
  else await lookAtPage();
}

async function lookAtRows() {
  const rows = [...events.tBodies[0].rows].sort((a, b) => a.dataset.number - b.dataset.number);
  const have = rows.map((row) => row.dataset.digest).join("");
  const query = new URLSearchParams({ order: events.dataset.order, have });
  const changes = await ask(`${root}/live?${query}`);
  if (!changes) return;
  ahead = changes.now * 1000 - Date.now();
  const banner = document.getElementById("banner");
  const next = document.createElement("div");
  next.id = "banner";
  next.append(parsed(changes.banner));
  morph(banner, next);
  if (changes.reload) {
    location.reload();
    return;
  }
  for (const [number, html] of Object.entries(changes.rows)) patchRow(number, html);
  tick();
  if (Object.keys(changes.rows).length) search();
}

async function lookAtPage() {
  const reply = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!reply.ok || reply.redirected) throw new Error(reply.status);
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const next of page.querySelectorAll("[data-part]")) {
    const part = document.querySelector(`[data-part="${next.dataset.part}"]`);
    localise(next);
    if (part) morph(part, document.adoptNode(next));
  }
  tick();
}

async function ask(address) {
  const reply = await fetch(address, { headers: { accept: "application/json" } });
  if (reply.redirected || reply.status === 401) location.reload();
  if (!reply.ok) throw new Error(reply.status);
  return reply.json();
}

let isLooking = false;

async function lookNow() {
  if (isLooking || !live) return;
  isLooking = true;
  const alive = document.getElementById("alive");
  try {
    await look();
    setText(alive, "");
    document.body.classList.remove("stale");
  } catch {
    setText(alive, "The server cannot be reached; this page is out of date.");
    document.body.classList.add("stale");
  }
  isLooking = false;
}

// Sorting and searching

function search() {
  const box = document.getElementById("q");
  if (!box || !events) return;
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of events.tBodies[0].rows) {
    row.hidden = !words.every((word) => row.dataset.words.includes(word));
    if (!row.hidden) shown += 1;
  }
  document.getElementById("empty").hidden = shown > 0;
}

const URGENCY = ["overdue", "ahead", "no clock", "failing", "missed", "late", "paused", "never run", "on time", "disabled"];

function value(row, key) {
  const text = row.dataset[key];
  if (key === "state") return URGENCY.indexOf(text);
  if (key === "next" || key === "last") return text === "" ? null : Number(text);
  return text === "" ? null : text.toLowerCase();
}

function order(left, right, down) {
  if (left === null || right === null) return (left === null) - (right === null);
  return (left < right ? -1 : left > right ? 1 : 0) * (down ? -1 : 1);
}

function sort(link) {
  const head = link.closest("th");
  const key = link.dataset.sort;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const cell of events.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...events.tBodies[0].rows];
  rows.sort((a, b) => order(value(a, key), value(b, key), down)
    || order(a.dataset.name, b.dataset.name) || a.dataset.number - b.dataset.number);
  events.tBodies[0].append(...rows);
  remember("sort", (down ? "-" : "") + key);
}

function remember(name, value) {
  const here = new URL(location.href);
  here.searchParams.delete("done");
  here.searchParams.delete("of");
  if (value) here.searchParams.set(name, value);
  else here.searchParams.delete(name);
  history.replaceState(null, "", here);
}

// Actions

async function act(form, address, extra) {
  const fields = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(extra)) fields.set(name, value);
  const reply = await fetch(address, {
    method: "POST", body: fields, headers: { accept: "application/json", "x-csrf-token": csrf },
  });
  const isJson = (reply.headers.get("content-type") || "").includes("json");
  const answer = isJson ? await reply.json() : { detail: `The server responded with ${reply.status}; reload the page.` };
  setText(document.getElementById("message"), answer.message || answer.detail);
  return reply.ok;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  const isPause = form.closest("#pause");
  if (!isPause && form.id !== "act" && !("act" in form.dataset)) return;
  event.preventDefault();
  if (form.checkValidity && !form.checkValidity()) return;
  const sure = button && button.dataset.sure;
  if (sure && !window.confirm(sure)) return;
  const address = button && button.hasAttribute("formaction") ? button.formAction : form.action;
  const extra = button && button.name ? { [button.name]: button.value } : {};
  if (button) button.disabled = true;
  try {
    if ((await act(form, address, extra)) && isPause) isPause.close();
    await lookNow();
  } catch {
    setText(document.getElementById("message"), "The server cannot be reached; the action may not have been executed.");
  }
  if (button) {
    button.disabled = false;
    if (button.isConnected && !isPause) button.focus();
    for (const box of form.querySelectorAll("[name=sure]")) box.checked = false;
  }
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("a, button");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.dataset.sort) sort(target);
  else if ("q" in target.dataset) {
    const box = document.getElementById("q");
    box.value = box.value === target.dataset.q ? "" : target.dataset.q;
    search();
    remember("q", box.value);
  } else if (target.dataset.pause) openPause(target.dataset.pause);
  else if ("close" in target.dataset) target.closest("dialog").close();
  else return;
  event.preventDefault();
});

function openPause(name) {
  const dialog = document.getElementById("pause");
  dialog.querySelector("form").reset();
  dialog.querySelector("[name=event]").value = name;
  setText(dialog.querySelector("[data-event]"), name);
  dialog.showModal();
}

document.addEventListener("input", (event) => {
  if (event.target.id === "q") {
    search();
    remember("q", event.target.value);
  }
  if (event.target.name === "until" && event.target.value) {
    event.target.form.querySelector("[name=for][value=until]").checked = true;
  }
});

document.addEventListener("keydown", (event) => {
  const box = document.getElementById("q");
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
  if (event.key === "/" && box && !isTyping) {
    event.preventDefault();
    box.focus();
  }
});

localise(document);
tick();
search();
setInterval(() => { if (!document.hidden) tick(); }, 1000);
setInterval(() => { if (!document.hidden) lookNow(); }, PERIOD);
document.addEventListener("visibilitychange", () => { if (!document.hidden) lookNow(); });
