// A page comes into view at once, with its style and its sidebar: what came before them would jump. Streamlit sends the
// sidebar collapsed; here it opens while style.css still hides everything.
const WIDE = 768;  // px, from which on the sidebar stands beside the page

export default function () {
  const root = document.documentElement;
  if (root.dataset.appears) return;
  root.dataset.appears = 'soon';
  const opened = () => {
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (window.innerWidth < WIDE || sidebar?.getAttribute('aria-expanded') === 'true') return true;
    document.querySelector('[data-testid="stExpandSidebarButton"]')?.click();
    return false;
  };
  const look = () => {
    const styled = getComputedStyle(root).getPropertyValue('--styled') !== '';
    if (styled && opened()) requestAnimationFrame(() => { root.dataset.appears = 'now'; });
    else requestAnimationFrame(look);
  };
  look();
}
