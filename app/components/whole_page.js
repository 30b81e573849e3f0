export default function () {
  if (window.mendedPage) return;
  window.mendedPage = true;
  stepsOfHistory();
  roles();
  popovers();
}

// Back goes back one change: Streamlit replaces the address where a control moves; the first time after somebody has
// done something it is a step of the history instead. What the page corrects by itself makes none.
function stepsOfHistory() {
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

// Streamlit's navigation is a list whose items lie in sections that are none, so they are links in a row; its place
// for files can be used, and says it is decoration.
function roles() {
  const nav = '[data-testid=stSidebarNavItems]';
  const mend = () => {
    for (const list of document.querySelectorAll(`${nav}:not([role])`)) list.role = 'none';
    for (const item of document.querySelectorAll(`${nav} li:not([role])`)) item.role = 'none';
    for (const place of document.querySelectorAll('[data-testid=stFileUploaderDropzone][role=presentation]'))
      place.role = 'group';
  };
  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
}

// Streamlit puts what a popover shows at the end of the page: by keyboard the way on leads into it.
function popovers() {
  let byKey = false;
  document.addEventListener('keydown', () => { byKey = true; }, true);
  document.addEventListener('pointerdown', () => { byKey = false; }, true);
  const enter = (body) => {
    body.dataset.entered = 'true';
    if (!byKey || body.contains(document.activeElement)) return;
    body.tabIndex = -1;
    (body.querySelector('button, a[href], input, textarea, select, [tabindex="0"]') ?? body).focus();
  };
  new MutationObserver(() => document.querySelectorAll('[data-testid=stPopoverBody]:not([data-entered])').forEach(enter))
    .observe(document.body, { childList: true, subtree: true });
}
