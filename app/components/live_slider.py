"""A slider that reports while it is dragged; Streamlit's own reports on release only."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from session.chosen import Slot

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

# While the thumb moves, at most two positions are on their way: the next one leaves while the browser still draws the
# last (after 0.45 of the usual delay), and a third waits for a picture (its stamp carries the radius). A faster stream
# would interrupt every drawing before it is done.
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
    state = input._live = { held: false, sent: null, flying: [], delay: 150, watch: null };
    const report = (dragging) => {
      state.sent = input.value;
      state.flying.push({ value: Number(input.value).toFixed(2), at: performance.now() });
      state.send('thumb', { value: Number(input.value), dragging });
    };
    const follow = () => {
      const now = performance.now();
      const shown = [...document.querySelectorAll('[data-radius]')].map(stamp => stamp.dataset.radius);
      const landed = state.flying.findIndex(one => shown.length > 0 && shown.every(value => value === one.value));
      if (landed >= 0) {
        state.delay = 0.8 * state.delay + 0.2 * (now - state.flying[landed].at);
        state.flying.splice(0, landed + 1);
      }
      if (!state.held || state.sent === input.value) return;
      const last = state.flying.length ? now - state.flying[state.flying.length - 1].at : Infinity;
      if (last > 600) state.flying = [];
      if (last === Infinity || last > 600 || (state.flying.length === 1 && last > 0.45 * state.delay)) report(true);
    };
    input.addEventListener('pointerdown', () => {
      state.held = true;
      state.sent = null;
      state.flying = [];
      state.watch = setInterval(follow, 8);
    });
    input.addEventListener('input', () => {
      show();
      if (!state.held) report(false);
    });
    const release = () => {
      if (!state.held) return;
      state.held = false;
      clearInterval(state.watch);
      report(false);
    };
    input.addEventListener('pointerup', release);
    input.addEventListener('pointercancel', release);
  }
  state.send = setStateValue;
  if (!state.held) { input.value = data.value; }
  show();
}
"""

_mount = st.components.v2.component("live_slider", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def live_slider(label: str, slot: Slot[float], maximum: float, *, ends: tuple[str, str]) -> tuple[float, bool]:
    """A slider over [0, maximum] for the number in `slot`: its value, and whether it is held.

    Call it inside a fragment: while the thumb is held only the fragment runs, and the value is not yet in the slot.
    Letting go, or a key press, writes it there and runs the whole page, so that other widgets with that key follow.
    """
    thumb = Slot[Mapping[str, Mapping[str, float]]](f"{slot.key}_live", {})
    last = Slot[tuple[float, bool] | None](f"{slot.key}_moved", None)

    def moved() -> None:
        if at := thumb.get().get("thumb"):
            value = round(min(max(float(at["value"]), 0.0), maximum), 2)
            last.set((value, bool(at["dragging"])))
            if not at["dragging"]:
                slot.set(value)

    value, held = last.pop() or (slot.get(), None)
    _mount(
        data={
            "label": label,
            "value": value,
            "max": maximum,
            "step": 0.01,
            "low": ends[0],
            "high": ends[1],
        },
        key=thumb.key,
        default={"thumb": None},
        on_thumb_change=moved,
    )
    if held is False:
        st.rerun()
    return value, held is True
