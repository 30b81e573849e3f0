// Arrow keys answer. A setting that was clicked would keep them, so it lets go of the focus; a field that is typed into
// keeps it.
const TYPED = 'input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, [contenteditable=true]';

export default function () {
  const release = (event) => {
    if (!event.target.closest?.('[data-testid=stSidebar]') || event.target.matches(TYPED)) return;
    setTimeout(() => {
      const held = document.activeElement;
      if (held?.closest('[data-testid=stSidebar]')) held.blur();
    }, 0);
  };
  const acts = ['click', 'pointerup'];
  for (const act of acts) document.addEventListener(act, release);
  return () => { for (const act of acts) document.removeEventListener(act, release); };
}
