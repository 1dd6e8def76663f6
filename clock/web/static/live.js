// Keeps a page up to date: the server says in a stream when something changed, and the page asks
// for itself again. Where there is no stream, it asks every few seconds.
import { isSteady, morph } from "./morph.js";
import { setNow, setText, tick } from "./times.js";

const PERIOD = 4000; // milliseconds between two requests without a stream
const PAUSE = 2000; // milliseconds that are at least between two requests because of the stream
const RETRY = 30000; // milliseconds after which a stream that the server refused is tried again
const CHECK = 30000; // milliseconds between two requests with a stream, as a proxy may hold it back

const { root, live, concerns } = document.body.dataset;
const alive = document.getElementById("alive");

let shown = location.href; // the address whose content the page shows
let etag = null;
let asking = null; // the request that is under way
let stream = null;
let isStreaming = false;
let timer = null;
let askedAt = 0;
let attention = null;

// Shows the content of an address of this page; resolves to whether that worked.
export async function show(address) {
  shown = String(address);
  etag = null;
  return lookNow(true);
}

// Asks for the page again, because of what the reader did; what is under way is from before that.
export function lookNow(isAsked = false) {
  if (asking) asking.abort();
  asking = null;
  return look(isAsked);
}

// Asks for the page again, unless that is under way; `isAsked` says that rows may move.
async function look(isAsked = false) {
  if (asking) return false;
  clearTimeout(timer);
  timer = null;
  askedAt = Date.now();
  const request = new AbortController();
  asking = request;
  try {
    const headers = { accept: "text/html" };
    if (etag) headers["if-none-match"] = etag;
    const reply = await fetch(shown, { headers, signal: request.signal, cache: "no-store" });
    if (hasEnded(reply)) {
      sayEnded();
      return false;
    }
    if (reply.status !== 304 && !reply.ok) throw new Error(reply.status);
    if (reply.status !== 304) {
      const text = await reply.text();
      if (asking !== request) return false;
      etag = put(text, isAsked) ? reply.headers.get("etag") : null;
    }
    say("");
    return true;
  } catch (error) {
    if (error.name !== "AbortError") say("The server cannot be reached; this page is out of date.");
    return false;
  } finally {
    if (asking === request) asking = null;
  }
}

// Whether all of the page could be put into place.
function put(text, isAsked) {
  const page = new DOMParser().parseFromString(text, "text/html");
  setNow(page.body.dataset.now);
  if (document.title !== page.title) document.title = page.title;
  const [icon, nextIcon] = [document, page].map((one) => one.querySelector("link[rel=icon]"));
  if (icon.getAttribute("href") !== nextIcon.getAttribute("href")) icon.href = nextIcon.getAttribute("href");
  tick(page);
  tick();
  for (const next of page.querySelectorAll("[data-part]")) {
    const part = document.querySelector(`[data-part="${next.dataset.part}"]`);
    if (part) morph(part, document.adoptNode(next), isAsked);
  }
  return isAsked || ![...document.querySelectorAll("[data-steady]")].some(isSteady);
}

function hasEnded(reply) {
  return reply.status === 401 || (reply.redirected && new URL(reply.url).pathname === `${root}/login`);
}

function say(text) {
  setText(alive, text);
  document.body.classList.toggle("stale", text !== "");
}

export function sayEnded() {
  const link = document.createElement("a");
  link.href = `${root}/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
  link.textContent = "Sign in";
  say("Your session has ended.");
  alive.append(" ", link);
}

// What a page shows may change without a change of an event: jobs, for instance.
function period() {
  return isStreaming && live === "changes" ? CHECK : PERIOD;
}

function lookSoon() {
  if (document.hidden || timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    if (asking) lookSoon();
    else look();
  }, Math.max(askedAt + PAUSE - Date.now(), 0));
}

function onChanges(message) {
  const changes = JSON.parse(message.data);
  const isOurs = !concerns || changes.names === null || changes.names.includes(concerns);
  if (isOurs || changes.status || changes.attention !== attention) lookSoon();
  attention = changes.attention;
}

function listen() {
  if (stream || document.hidden || !live) return;
  stream = new EventSource(`${root}/api/v1/stream?types=changes`);
  stream.addEventListener("open", () => {
    isStreaming = true;
    lookSoon(); // what changed since the page was made
  });
  stream.addEventListener("changes", onChanges);
  stream.addEventListener("reset", lookSoon);
  stream.addEventListener("error", () => {
    isStreaming = false;
    lookSoon(); // the session may have ended
    if (!stream || stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(listen, RETRY);
  });
}

function close() {
  if (stream) stream.close();
  stream = null;
  isStreaming = false;
}

export function start() {
  setNow(document.body.dataset.now);
  tick();
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  if (!live) return;
  setInterval(() => { if (!document.hidden && Date.now() - askedAt >= period() - PAUSE) look(); }, PERIOD);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else {
      look();
      listen();
    }
  });
  // What had to wait while somebody pointed at a list.
  document.addEventListener("pointerout", (event) => {
    const list = event.target.closest && event.target.closest("[data-steady]");
    if (list && etag === null && !list.contains(event.relatedTarget)) lookSoon();
  });
  listen();
}
