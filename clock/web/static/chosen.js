// Choosing rows of a list: all of a page at once, and how many there are in what is asked.

function boxesOf(form) {
  return [...form.querySelectorAll("tbody input[type=checkbox]")];
}

function count(form) {
  const boxes = boxesOf(form);
  const chosen = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-choose-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  for (const button of form.querySelectorAll("[data-sure-many]")) {
    button.dataset.sure = chosen === 1 ? button.dataset.sureOne : button.dataset.sureMany.replace("#", chosen);
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form.jobs");
  if (!form || event.target.type !== "checkbox") return;
  if ("chooseAll" in event.target.dataset) {
    for (const box of boxesOf(form)) box.checked = event.target.checked;
  }
  count(form);
});

// Rows may have gone since they were counted.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form.jobs")) count(event.target);
}, true);
