// Brings a part of the page into view when its turn has grown, and the focus to it; a page that opens stands where it
// stands.
export default function ({ data, parentElement }) {
  const before = parentElement.dataset.turn;
  parentElement.dataset.turn = data.turn;
  if (before === undefined ? data.turn === 0 : Number(before) === data.turn) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const part = document.querySelector(`.st-key-${data.part}`);
  if (!part) return;
  part.dataset.brought = 'true';  // style.css: below the toolbar, without a ring, since it is no control
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
  part.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
}
