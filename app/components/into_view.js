// Brings a part of the page into view when its turn has grown; a page that opens stands where it stands.
export default function ({ data, parentElement }) {
  const before = parentElement.dataset.turn;
  parentElement.dataset.turn = data.turn;
  if (before === undefined ? data.turn === 0 : Number(before) === data.turn) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  document.querySelector(`.st-key-${data.part}`)?.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
}
