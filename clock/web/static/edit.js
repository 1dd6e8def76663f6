// Shows when a row would fire and what is wrong in it, while one types. The server checks it.
import { sayEnded } from "./live.js";
import { setText, tick } from "./times.js";

const DELAY = 250; // milliseconds without typing before the server is asked

const form = document.querySelector("[data-edit]");
let timer = null;
let asking = null;

async function look() {
  if (asking) asking.abort();
  const request = new AbortController();
  asking = request;
  const body = new URLSearchParams(new FormData(form));
  body.set("preview", "live");
  try {
    const headers = { accept: "text/html", "x-csrf-token": document.body.dataset.csrf };
    const reply = await fetch(form.action, { method: "POST", body, headers, signal: request.signal });
    if (reply.status === 401) sayEnded();
    if (!reply.ok) return;
    const text = await reply.text();
    if (asking === request) put(new DOMParser().parseFromString(text, "text/html"));
  } catch {
    // The next key asks again, and saving says what is wrong.
  }
}

function put(page) {
  tick(page);
  const preview = page.getElementById("preview");
  if (!preview) return;
  document.getElementById("preview").replaceChildren(...document.adoptNode(preview).childNodes);
  for (const mistake of form.querySelectorAll("[id$=-mistake]")) {
    const next = page.getElementById(mistake.id);
    setText(mistake, next ? next.textContent : "");
  }
  for (const field of form.querySelectorAll("[aria-describedby]")) {
    const next = page.getElementById(field.id);
    if (next && next.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

if (form) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, DELAY);
  });
}
