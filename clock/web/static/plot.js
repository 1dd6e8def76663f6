// The plot of runs: the arrow keys go from one run to the next, and a line below says what it was.
import { setText } from "./times.js";

const { root } = document.body.dataset;
const CHOSEN = ".run[data-chosen]";

function marksOf(plot) {
  return [...plot.querySelectorAll(".run")];
}

function choose(plot, mark) {
  for (const other of plot.querySelectorAll(CHOSEN)) delete other.dataset.chosen;
  if (!mark) return;
  mark.dataset.chosen = "";
  setText(document.getElementById("plotted-run"), mark.querySelector("title").textContent);
}

function open(mark) {
  location.href = `${root}/job?${new URLSearchParams({ id: mark.dataset.job })}`;
}

function step(marks, chosen, key) {
  const last = marks.length - 1;
  const at = marks.indexOf(chosen);
  switch (key) {
    case "ArrowLeft": return at < 0 ? last : Math.max(at - 1, 0);
    case "ArrowRight": return at < 0 ? last : Math.min(at + 1, last);
    case "Home": return 0;
    case "End": return last;
    default: return null;
  }
}

document.addEventListener("keydown", (event) => {
  const plot = event.target.closest && event.target.closest("[data-plot]");
  if (!plot) return;
  const marks = marksOf(plot);
  const chosen = plot.querySelector(CHOSEN);
  if (event.key === "Enter" && chosen) open(chosen);
  const next = step(marks, chosen, event.key);
  if (next === null) return;
  event.preventDefault();
  choose(plot, marks[next]);
});

document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest && event.target.closest("[data-plot] .run");
  if (mark) choose(mark.closest("[data-plot]"), mark);
});

document.addEventListener("click", (event) => {
  const mark = event.target.closest("[data-plot] .run");
  if (mark) open(mark);
});
