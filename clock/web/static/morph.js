// Makes an element equal to another one and changes only what differs, so that focus, selection,
// scrolling and what is open stay.

const REST = 10000; // milliseconds until a pointer that rests on a list no longer counts
let usedAt = 0;

const KEPT = new Set(["open", "hidden", "data-chosen"]); // attributes that scripts and readers set
const OURS = "[data-kept]"; // elements whose content scripts write

// Where the reader asked for the change, rows may move under the pointer.
export function morph(from, to, isAsked) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName || from.nodeType !== to.nodeType) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  if (from.matches(OURS)) return;
  morphAttributes(from, to);
  if (!isAsked && isSteady(from)) morphKnown(from, to);
  else morphChildren(from, to, isAsked);
}

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

// Children with a data-key are the same as those with the same key, wherever they are.
function morphChildren(from, to, isAsked) {
  const keyed = byKey(from);
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = next.dataset && next.dataset.key;
    const same = key === undefined ? at : keyed.get(key);
    if (key !== undefined && same) {
      keyed.delete(key);
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      morph(same, next, isAsked);
    } else if (key === undefined && same && !(same.dataset && same.dataset.key !== undefined)) {
      at = same.nextSibling;
      morph(same, next, isAsked);
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
  for (const left of keyed.values()) left.remove();
}

function byKey(parent) {
  const keyed = new Map();
  for (const child of parent.children) {
    if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  }
  return keyed;
}

// While somebody uses a list, its rows change but do not move: a click must not meet another row.
export function isSteady(element) {
  if (!("steady" in element.dataset)) return false;
  if (element.querySelector("details.menu[open]")) return true;
  const isUsed = element.matches(":hover") || element.contains(document.activeElement);
  return isUsed && Date.now() - usedAt < REST;
}

for (const type of ["pointermove", "pointerdown", "keydown"]) {
  document.addEventListener(type, () => { usedAt = Date.now(); }, { passive: true });
}

function morphKnown(from, to) {
  const next = byKey(to);
  for (const [key, child] of byKey(from)) {
    child.classList.toggle("gone", !next.has(key));
    if (next.has(key)) morph(child, next.get(key));
  }
}
