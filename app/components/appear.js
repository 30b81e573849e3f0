// A page comes into view at once, with its style and its sidebar: what came before them would jump. Streamlit sends the
// sidebar collapsed; here it opens while style.css still hides everything. Who has closed it finds it closed.
const LATEST = 4000;  // ms, after which style.css shows the page anyway
const PATIENT = 60000;  // ms more, in which a slow server's sidebar is still opened
const WIDE = 768;  // px, from which on the sidebar stands beside the page
const CLOSED = 'rgan-sidebar-closed';

const sidebar = () => document.querySelector('[data-testid="stSidebar"]');

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
  const end = performance.now() + LATEST;
  const look = () => {
    const open = opened();
    const late = performance.now() > end;
    const styled = getComputedStyle(root).getPropertyValue('--styled') !== '';
    if (late || (styled && open)) requestAnimationFrame(() => { root.dataset.appears = 'now'; forget(); });
    if (!(open && (styled || late)) && performance.now() < end + PATIENT) requestAnimationFrame(look);
  };
  look();
  window.addEventListener('pagehide', () => {
    if (window.innerWidth < WIDE) return;
    if (sidebar()?.dataset.collapsed === 'true') localStorage.setItem(CLOSED, '1');
    else localStorage.removeItem(CLOSED);
    forget();
  });
}
