"""A slider that reports while it is dragged; Streamlit's own reports on release only."""

from __future__ import annotations

import streamlit as st

_HTML = """
<div class="live-slider">
  <label><span class="name"></span> <output></output></label>
  <input type="range" />
  <div class="ends"><span class="low"></span><span class="high"></span></div>
</div>
"""

_CSS = """
.live-slider { font-family: var(--st-font); color: var(--st-text-color); padding: 0 2px; }
.live-slider label { display: flex; gap: .6rem; font-size: 1.05rem; align-items: baseline; }
.live-slider output { font-weight: 700; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.live-slider input { width: 100%; accent-color: var(--st-primary-color); height: 1.6rem; margin: 0; cursor: grab; }
.live-slider input:active { cursor: grabbing; }
.live-slider .ends { display: flex; justify-content: space-between; font-size: .85rem; opacity: .75; }
"""

# Reports at most every 50 ms while the thumb moves; the server drops what it cannot keep up with.
_JS = """
export default function ({ data, parentElement, setStateValue }) {
  const input = parentElement.querySelector('input');
  const show = () => { parentElement.querySelector('output').textContent = Number(input.value).toFixed(2); };
  parentElement.querySelector('.name').textContent = data.label;
  parentElement.querySelector('.low').textContent = data.low;
  parentElement.querySelector('.high').textContent = data.high;
  input.setAttribute('aria-label', data.label);
  input.min = 0; input.max = data.max; input.step = data.step;
  let state = input._live;
  if (!state) {
    state = input._live = { held: false, sent: 0, timer: null };
    const report = (dragging) => {
      clearTimeout(state.timer);
      state.timer = null;
      state.sent = performance.now();
      state.send('thumb', { value: Number(input.value), dragging });
    };
    input.addEventListener('pointerdown', () => { state.held = true; });
    input.addEventListener('input', () => {
      show();
      if (!state.held) { report(false); return; }
      if (state.timer === null) {
        state.timer = setTimeout(() => report(true), Math.max(0, 50 - (performance.now() - state.sent)));
      }
    });
    const release = () => { if (state.held) { state.held = false; report(false); } };
    input.addEventListener('pointerup', release);
    input.addEventListener('pointercancel', release);
  }
  state.send = setStateValue;
  if (!state.held && state.timer === null) { input.value = data.value; }
  show();
}
"""

_mount = st.components.v2.component("live_slider", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def live_slider(label: str, state_key: str, maximum: float, *, ends: tuple[str, str]) -> bool:
    """A slider over [0, maximum] for the number in `st.session_state[state_key]`; whether it is being dragged now.

    Other widgets with the same key stay in step: a move is written to the session before the script runs.
    """
    key, dragging = f"{state_key}_live", f"{state_key}_dragging"

    def moved() -> None:
        thumb = st.session_state[key].get("thumb")
        if thumb is not None:
            st.session_state[state_key] = round(min(max(float(thumb["value"]), 0.0), maximum), 2)
            st.session_state[dragging] = bool(thumb["dragging"])

    _mount(
        data={
            "label": label,
            "value": st.session_state[state_key],
            "max": maximum,
            "step": 0.01,
            "low": ends[0],
            "high": ends[1],
        },
        key=key,
        default={"thumb": None},
        on_thumb_change=moved,
    )
    return bool(st.session_state.pop(dragging, False))
