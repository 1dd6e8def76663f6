// Buttons and forms that act, without leaving the page.
import { lookNow, sayEnded } from "./live.js";
import { setText } from "./times.js";

const { csrf } = document.body.dataset;
const message = document.getElementById("message");

async function act(form, address, extra) {
  const fields = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(extra)) fields.set(name, value);
  const reply = await fetch(address, {
    method: "POST", body: fields, headers: { accept: "application/json", "x-csrf-token": csrf },
  });
  if (reply.status === 401) {
    sayEnded();
    return false;
  }
  const isJson = (reply.headers.get("content-type") || "").includes("json");
  const answer = isJson ? await reply.json() : { detail: `The server responded with ${reply.status}; reload the page.` };
  setText(message, answer.message || answer.detail);
  return reply.ok;
}

// Resolves to whether the reader is sure.
function ask(question, answer) {
  const dialog = document.getElementById("sure");
  setText(dialog.querySelector("h2"), question);
  setText(dialog.querySelector("button.danger"), answer);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  const dialog = form.closest("dialog:not(#sure)");
  if (!dialog && form.id !== "act" && !("act" in form.dataset)) return;
  event.preventDefault();
  if (form.checkValidity && !form.checkValidity()) return;
  const address = button && button.hasAttribute("formaction") ? button.formAction : form.action;
  const extra = button && button.name ? { [button.name]: button.value } : {};
  if (button && button.dataset.sure) {
    const words = button.firstChild.textContent.trim();
    if (!(await ask(button.dataset.sure, words))) return;
    extra.sure = "1";
  }
  if (button) button.disabled = true;
  const menu = button && button.closest("details.menu");
  try {
    const isDone = await act(form, address, extra);
    if (isDone && dialog) dialog.close();
    if (menu) menu.open = false;
    await lookNow();
  } catch {
    setText(message, "The server cannot be reached; the action may not have been executed.");
  }
  if (button) {
    button.disabled = false;
    if (menu && menu.isConnected) menu.querySelector("summary").focus();
    else if (button.isConnected && !dialog) button.focus();
    for (const box of form.querySelectorAll("[name=sure]")) box.checked = false;
  }
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("a, button");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.dataset.pause) openPause(target.dataset.pause);
  else if (target.dataset.copy) copy(target);
  else if ("close" in target.dataset) target.closest("dialog").close();
  else return;
  event.preventDefault();
});

async function copy(button) {
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    setText(message, "Copied.");
  } catch {
    setText(message, "The browser does not allow copying; select the text instead.");
  }
}

function openPause(name) {
  const dialog = document.getElementById("pause");
  dialog.querySelector("form").reset();
  dialog.querySelector("[name=event]").value = name;
  setText(dialog.querySelector("[data-event]"), name);
  dialog.showModal();
}

document.addEventListener("input", (event) => {
  if (event.target.name === "until" && event.target.value) {
    event.target.form.querySelector("[name=for][value=until]").checked = true;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest && event.target.closest("details.menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
