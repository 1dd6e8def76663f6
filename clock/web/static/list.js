// Lists that the server searches, sorts, filters and pages: without a reload of the page.
import { show } from "./live.js";

const TYPING = 250; // milliseconds without a key until the search begins

let timer = null;

async function go(address, isNew) {
  const here = new URL(address, location.href);
  here.searchParams.delete("done");
  here.searchParams.delete("of");
  if (isNew) history.pushState(null, "", here);
  else history.replaceState(null, "", here);
  await show(here);
}

function addressOf(form) {
  const here = new URL(form.action);
  for (const [name, value] of new FormData(form)) {
    if (value) here.searchParams.append(name, value);
  }
  return here;
}

// Links and forms in an element with data-list stay on the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-list] a[data-stay]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href, true);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-search]")) return;
  event.preventDefault();
  clearTimeout(timer);
  go(addressOf(event.target), false);
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-search]");
  if (!form) return;
  clearTimeout(timer);
  timer = setTimeout(() => go(addressOf(form), false), TYPING);
});

window.addEventListener("popstate", () => show(location.href));

document.addEventListener("keydown", (event) => {
  const box = document.querySelector("form[data-search] [type=search]");
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
  if (event.key === "/" && box && !isTyping) {
    event.preventDefault();
    box.focus();
  }
});
