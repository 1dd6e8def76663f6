"""What is wrong with the layout of a page in a window."""

from __future__ import annotations

from playwright.sync_api import Page

_FAULTS = r"""
() => {
  const faults = new Set();
  const named = (one) => `${one.tagName} ${one.textContent.trim().slice(0, 40) || one.name}`;
  const style = (one) => getComputedStyle(one);
  const isShown = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !one.closest(".hidden, .skip, thead") && one.getBoundingClientRect().width > 1;
  const scrolls = (one) => {
    let at = one;
    while (at && style(at).overflowX === "visible") at = at.parentElement;
    return at !== null;
  };
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > innerWidth) faults.add("the page scrolls sideways");
  const all = [...document.querySelectorAll("main *, header *, #attention *")].filter(isShown);
  for (const one of all) {
    const box = one.getBoundingClientRect();
    if (!scrolls(one) && (box.right > width + 1 || box.left < -1)) {
      faults.add(`outside: ${named(one)}`);
    }
    // What is cut says so with an ellipsis; a text to copy, and a plot, may scroll.
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
        && style(one).overflowX !== "visible" && style(one).textOverflow !== "ellipsis"
        && style(one).webkitLineClamp === "none"
        && !one.matches("pre, input, select, textarea, svg, .events *, [data-plot]")) {
      faults.add(`cut: ${named(one)}`);
    }
  }
  const targets = all.filter((one) => !one.closest("svg") && one.matches(
    "a, button, .button, input, select, textarea, summary, time, .badge, dt, dd, h1, h2"));
  const visible = (one) => {  // what is not hidden by what it is in
    let boxes = [...one.getClientRects()];
    for (let at = one; at; at = at.parentElement) {
      if (style(at).overflowX === "visible" || style(at).display === "inline") continue;
      const clip = at.getBoundingClientRect();
      boxes = boxes.map((box) => ({
        left: Math.max(box.left, clip.left), right: Math.min(box.right, clip.right),
        top: Math.max(box.top, clip.top), bottom: Math.min(box.bottom, clip.bottom),
      }));
    }
    return boxes;
  };
  const boxes = targets.map(visible);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  for (let i = 0; i < targets.length; i++) {
    for (let j = i + 1; j < targets.length; j++) {
      if (targets[i].contains(targets[j])) continue;
      if (boxes[i].some((a) => boxes[j].some((b) => meet(a, b)))) {
        faults.add(`overlap: ${named(targets[i])}, ${named(targets[j])}`);
      }
    }
  }
  return [...faults].slice(0, 8);
}
"""


def faults(page: Page) -> list[str]:
    """What lies outside of the window, is cut or overlaps something else; at most eight."""
    lines: list[str] = page.evaluate(_FAULTS)
    return lines
