// While the thumb moves, at most two positions are on their way: the next one leaves while the browser still draws the
// last (after 0.45 of the usual delay), and a third waits for a picture (its stamp carries the radius). A faster stream
// would interrupt every drawing before it is done.
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
