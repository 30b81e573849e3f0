// One listener for all buttons over pictures: a click tells the server which, arrow keys go to the neighbours.
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 'up', ArrowDown: 'down' };

export default function ({ setTriggerValue }) {
  const button = (event) => event.target.closest?.('.picks button[data-pick]');
  const click = (event) => {
    const found = button(event);
    if (found) setTriggerValue('pick', found.dataset.pick);
  };
  const press = (event) => {
    const found = button(event), step = STEPS[event.key];
    if (!found || step === undefined) return;
    event.preventDefault();
    event.stopPropagation();  // the page's own arrow keys step through the ranking
    const all = [...document.querySelectorAll('.picks button[data-pick]')];
    const columns = getComputedStyle(found.parentElement).gridTemplateColumns.split(' ').length;
    const by = step === 'up' ? -columns : step === 'down' ? columns : step;
    all[all.indexOf(found) + by]?.focus();
  };
  document.addEventListener('click', click);
  document.addEventListener('keydown', press, true);
  return () => {
    document.removeEventListener('click', click);
    document.removeEventListener('keydown', press, true);
  };
}
