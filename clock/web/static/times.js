// Instants: how far away they are now, and what they are in the zone of the browser.

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

let ahead = 0; // how far the server's clock is ahead of the browser's, in milliseconds

export function setNow(seconds) {
  ahead = seconds * 1000 - Date.now();
}

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

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function tick(root = document) {
  const now = Date.now() + ahead;
  for (const time of root.querySelectorAll("time.ago")) {
    setText(time, relative((Date.parse(time.dateTime) - now) / 1000));
  }
}

const ours = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "2-digit", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

// The title is completed when somebody looks at it: a page has hundreds of instants.
document.addEventListener("pointerover", (event) => {
  const place = event.target.closest && event.target.closest("time, .moment");
  const time = place && (place.dateTime ? place : place.querySelector("time"));
  if (!time) return;
  const holder = place.closest("[title]") || time;
  const here = `${ours.format(new Date(time.dateTime)).replaceAll(",", "")} ${ZONE} (yours)`;
  if (holder.title.endsWith(here)) return;
  const before = holder.title.split("\n").filter((line) => line && !line.endsWith("(yours)"));
  holder.title = [...before, here].join("\n");
});

// Only the browser knows the reader's zone.
const own = document.querySelector("[data-own-zone]");
if (own && ZONE) {
  own.value = ZONE;
  own.hidden = false;
}
