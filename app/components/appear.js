// A page comes into view at once, with its style and its sidebar: what came before them would jump. Streamlit sends the
// sidebar collapsed; here it opens while style.css, which comes with this script, hides everything. Who has closed it
// finds it closed.
const LATEST = 10000;  // ms, after which the page is shown anyway
const PARTS = 90;  // frames that its first view waits for parts that Streamlit fetches when it meets them
const PATIENT = 60000;  // ms, in which a slow server's sidebar is still opened
const WIDE = 768;  // px, from which on the sidebar stands beside the page
const CLOSED = 'rgan-sidebar-closed';

const sidebar = () => document.querySelector('[data-testid="stSidebar"]');

// A part that is still fetched, with no height reserved for it: what stands below would jump.
function fetched() {
  return [...document.querySelectorAll('[data-testid="stSkeleton"]')].every((one) => {
    const place = one.getBoundingClientRect();
    return !place.width || place.top > window.innerHeight || one.parentElement.offsetHeight > place.height + 1;
  });
}

// Streamlit's own memory of it would open the sidebar before the style is there.
function forget() {
  for (const key of Object.keys(localStorage)) if (key.startsWith('stSidebarCollapsed')) localStorage.removeItem(key);
}

export default function () {
  const root = document.documentElement;
  if (root.dataset.appears) return;
  root.dataset.appears = 'soon';
  const closed = localStorage.getItem(CLOSED) !== null;
  const opened = () => {
    if (window.innerWidth < WIDE || closed || sidebar()?.dataset.collapsed === 'false') return true;
    document.querySelector('[data-testid="stExpandSidebarButton"]')?.click();
    return false;
  };
  const begun = performance.now();
  let shown = false;
  let frames = 0;
  const look = () => {
    const open = opened();
    const after = performance.now() - begun;
    if (!shown && (after > LATEST || (open && (++frames > PARTS || fetched())))) {
      shown = true;
      requestAnimationFrame(() => { root.dataset.appears = 'now'; forget(); });
    }
    if (!(shown && open) && after < PATIENT) requestAnimationFrame(look);
  };
  look();
  window.addEventListener('pagehide', () => {
    if (window.innerWidth < WIDE) return;
    if (sidebar()?.dataset.collapsed === 'true') localStorage.setItem(CLOSED, '1');
    else localStorage.removeItem(CLOSED);
    forget();
  });
}
