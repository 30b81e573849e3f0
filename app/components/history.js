// Back goes back one change: Streamlit replaces the address where a control moves; the first time after somebody has
// done something it is a step of the history instead. What the page corrects by itself makes none.
export default function () {
  if (window.stepsOfHistory) return;
  window.stepsOfHistory = true;
  const replace = history.replaceState.bind(history);
  let acted = false;
  for (const act of ['pointerup', 'keydown']) document.addEventListener(act, () => { acted = true; }, true);
  window.addEventListener('popstate', () => { acted = false; }, true);
  history.replaceState = (state, title, url) => {
    const next = url ? new URL(url, location.href) : location;
    const step = acted && next.pathname === location.pathname && next.search !== location.search;
    if (step) acted = false;
    return step ? history.pushState(state, title, url) : replace(state, title, url);
  };
}
