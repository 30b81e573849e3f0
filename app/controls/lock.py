"""Views with some controls hidden, for a class: `?lock=models,lam` in the address, and the place to make such a link.

A hidden control is still drawn, and only its box is taken out of the page: so it keeps its value, its range is checked
as ever, and a link made from a locked view is whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import streamlit as st
from session.address import carried

# Keys of controls, by what a teacher calls them.
GROUPS: dict[str, dict[str, str]] = {
    "models": {"a": "Model A", "b": "Model B"},
    "search": {
        "eps": "ε, radius",
        "against": "Raise",
        "lam": "λ, price",
        "method": "Method",
        "steps": "Steps",
        "restarts": "Starts",
        "shell": "Keep the length of z",
    },
    "noise": {"rows": "Only these samples", "samples": "Samples", "pool": "Noise tried", "seed": "Seed"},
    "pictures": {"show": "Show", "pick": "Sample on the way", "view": "View", "panel": "Panel"},
    "ranking": {"by": "Rank by", "of": "Rank the images of", "kind": "Images of"},
    "maps": {
        "points": "Points",
        "map": "Method of the maps",
        "space": "In space",
        "tsne_scale": "Perplexity",
        "umap_scale": "Neighbours",
        "side": "Whose panels a and b",
        "features": "Images as",
        "e2b": "ε₂",
        "arrows": "Arrows",
    },
    "test": {"question": "Question", "trials": "Number of pairs"},
}
CONTROLS = {key: label for group in GROUPS.values() for key, label in group.items()}
_PARAMETER = "lock"
_ALONG = {"eps": ("eps_live",)}  # boxes that show the same control once more
_ALWAYS = ("reset", "lock_maker")  # which a locked view has no use for

_HTML = (
    """<div class="lock-link"><input readonly aria-label="Link to the locked view"><button>Copy</button><a></a></div>"""
)
_CSS = """
.lock-link { display: flex; gap: .5rem; align-items: center; font-family: var(--st-font); font-size: .95rem; }
.lock-link input { flex: 1; min-width: 0; padding: .35rem .5rem; color: inherit; background: transparent;
  border: 1px solid var(--st-border-color); border-radius: 4px; font: inherit; }
.lock-link button { font: inherit; padding: .35rem .7rem; cursor: pointer; color: inherit; background: transparent;
  border: 1px solid var(--st-border-color); border-radius: 4px; }
.lock-link a { color: inherit; white-space: nowrap; }
.lock-link [hidden] { display: none; }
"""
# Only the browser knows the whole address at any moment: what a control writes into it does not come here.
_JS = """
export default function ({ data, parentElement }) {
  const part = name => parentElement.querySelector('.lock-link ' + name);
  const address = () => {
    const url = new URL(window.location.href);
    url.searchParams.delete('lock');
    if (data.lock) {
      url.searchParams.delete('tour');
      url.searchParams.set('lock', data.lock);
    }
    return url.href.replaceAll('%2C', ',');
  };
  part('input').hidden = part('button').hidden = !data.lock;
  part('a').hidden = Boolean(data.lock);
  part('input').value = address();
  part('input').onfocus = () => { part('input').value = address(); part('input').select(); };
  part('button').onclick = async () => {
    part('input').focus();
    part('input').select();
    try { await navigator.clipboard.writeText(part('input').value); } catch { document.execCommand('copy'); }
    part('button').textContent = 'Copied';
  };
  part('a').textContent = 'Show all controls';
  part('a').href = address();
  part('a').onclick = event => { event.preventDefault(); window.location.assign(address()); };
}
"""
_link = st.components.v2.component("lock_link", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def keys(lock: str) -> tuple[str, ...]:
    """The controls that a parameter "models,lam" names; what is neither a group nor a control is passed over."""
    words = [word.strip() for word in lock.split(",")]
    named = {key for word in words for key in GROUPS.get(word, (word,))}
    return tuple(key for key in CONTROLS if key in named)


def parameter(hidden: Iterable[str]) -> str:
    """The shortest parameter that names exactly these controls."""
    left, words = set(hidden), []
    for name, group in GROUPS.items():
        inside = [key for key in group if key in left]
        words += [name] if len(inside) == len(group) else inside
    return ",".join(words)


def note(page: str) -> None:
    """Once a run, on the screen called `page`, before any control: hide what the address says, and say so."""
    hidden = keys(carried(_PARAMETER, page))
    if not hidden:
        return
    boxes = [*hidden, *_ALWAYS, *(box for key in hidden for box in _ALONG.get(key, ()))]
    st.html(f"<style>{', '.join(f'.st-key-{box}' for box in boxes)} {{ display: none; }}</style>")
    with st.sidebar:
        st.caption(":material/lock: Locked view: some controls are hidden and keep their values.")
        _link(data={"lock": ""}, key="lock_link_off")


def maker() -> None:
    """Choose controls to hide; the link to this page without them."""
    with st.container(key="lock_maker"), st.popover("Lock this view", type="tertiary", icon=":material/lock:"):
        st.markdown("A link to this page as it is now, without the controls you choose: they keep their values.")
        groups = st.pills(
            "Hide whole groups", tuple(GROUPS), selection_mode="multi", key="lock_groups",
            help="; ".join(f"{name}: {', '.join(group.values())}" for name, group in GROUPS.items()),
        )  # fmt: skip
        chosen = st.multiselect(
            "Hide these controls", tuple(CONTROLS), format_func=lambda key: CONTROLS[key], key="lock_controls"
        )
        hidden = {*chosen, *(key for name in groups for key in GROUPS[name])}
        if hidden:
            _link(data={"lock": parameter(hidden)}, key="lock_link_on")
            st.caption("Whoever opens it sees a note, and a link that shows all controls again.")


def limited(key: str, low: float, high: float, options: Sequence[float] = ()) -> None:
    """Before a control of a number is drawn: a value from a link or another page that is out of range is moved into it,
    and that is said; without this, Streamlit would silently take the default, or fail.

    options: the only values allowed, if there are such; the nearest is taken.
    """
    try:
        asked = float(st.session_state.get(key, st.query_params.get(key, "")))
    except ValueError:
        return
    if math.isnan(asked) or (asked in options if options else low <= asked <= high):
        return
    nearest = min(options, key=lambda one: abs(one - asked)) if options else min(max(asked, low), high)
    st.session_state[key] = value = type(low)(nearest)
    st.toast(
        f"{CONTROLS.get(key, key)} {asked:g} is not offered here; it is {value:g} now.",
        icon=":material/info:", duration="long",
    )  # fmt: skip
