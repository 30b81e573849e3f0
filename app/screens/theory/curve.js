// The loss over a line as SVG: its knots follow the pointer or the arrow keys, and a click under the axis sets a point
// of P₀ or takes it away. The server is told when the pointer is let go.
const H = 300, LEFT = 34, RIGHT = 12, TOP = 14, FLOOR = 214, LINE = 244;
const SVG = 'http://www.w3.org/2000/svg';

function make(parent, kind, attributes, text) {
  const one = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (text !== undefined) one.textContent = text;
  parent.append(one);
  return one;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector('.curve-place');
  const W = place.clientWidth < 500 ? 380 : 640;  // words stay readable on a phone
  const focused = place.querySelector('.knot:focus')?.dataset.knot;
  const knots = [...data.knots], last = knots.length - 1, count = data.loss.length;
  const x = (k) => LEFT + (W - LEFT - RIGHT) * k / last;
  const xOf = (place) => LEFT + (W - LEFT - RIGHT) * place / (count - 1);
  const y = (height) => FLOOR - (FLOOR - TOP) * height;
  const at = (k) => (data.ends[0] + (data.ends[1] - data.ends[0]) * k / last).toFixed(2).replace('-', '−');

  place.replaceChildren();
  const svg = make(place, 'svg', { class: 'drawn-loss', viewBox: `0 0 ${W} ${H}`, role: 'group',
    'aria-label': `A loss over a line. Left and right choose a place, up and down change the loss there, Enter sets a ` +
      `point of P₀ there or takes it away. P₀ has ${data.starts.length} points.` });
  make(svg, 'rect', { class: 'frame', x: LEFT, y: TOP, width: W - LEFT - RIGHT, height: FLOOR - TOP });
  make(svg, 'text', { x: 4, y: TOP + 12 }, 'l(x)');
  for (const end of [0, last / 2, last])
    make(svg, 'text', { x: x(end), y: H - 4, 'text-anchor': end === 0 ? 'start' : end === last ? 'end' : 'middle' },
      `x = ${at(end)}`);
  const line = make(svg, 'polyline', { class: 'loss' });
  const sheet = make(svg, 'rect', { class: 'sheet', x: LEFT, y: TOP, width: W - LEFT - RIGHT, height: FLOOR - TOP });

  for (const [from, to, mass] of data.moves) {
    const a = xOf(from), b = xOf(to), width = 1 + 5 * mass;
    if (from !== to)
      make(svg, 'path', { class: 'move', 'stroke-width': width, opacity: .7,
        d: `M ${a} ${LINE} Q ${(a + b) / 2} ${LINE - 14 - Math.abs(b - a) / 8} ${b} ${LINE}` });
    const size = 5 + 12 * Math.sqrt(mass);
    make(make(svg, 'path', { class: 'worst', d: `M ${b} ${LINE - size} l ${size * .7} ${size} h ${-1.4 * size} Z` }),
      'title', {}, `${Math.round(1000 * mass) / 10} % of the mass of P, from x = ${at(from * last / (count - 1))}`);
  }
  for (const k of data.starts) make(svg, 'circle', { class: 'start', cx: x(k), cy: LINE + 16, r: 7 });
  make(svg, 'text', { x: 4, y: LINE }, '▲ P');
  make(svg, 'text', { x: 4, y: LINE + 21 }, '● P₀');
  const toggle = (k) => {
    const starts = data.starts.includes(k) ? data.starts.filter((one) => one !== k) : [...data.starts, k];
    if (starts.length && starts.length <= data.most) setTriggerValue('starts', starts.sort((a, b) => a - b).join(','));
  };
  const circles = knots.map((_, k) => {
    const half = (W - LEFT - RIGHT) / last / 2;
    make(svg, 'rect', { class: 'place', x: x(k) - half, y: LINE + 4, width: 2 * half, height: 24 })
      .addEventListener('click', () => toggle(k));
    const one = make(svg, 'circle', { class: 'knot', r: 5, cx: x(k), role: 'slider', tabindex: k === 0 ? 0 : -1,
      'aria-label': `Loss at x = ${at(k)}`, 'aria-valuemin': 0, 'aria-valuemax': 1, 'data-knot': k });
    return one;
  });

  function drawCurve(own) {
    const points = own ? knots.map((height, k) => `${x(k)},${y(height)}`)
      : data.loss.map((height, k) => `${xOf(k)},${y(height)}`);
    line.setAttribute('points', points.join(' '));
    circles.forEach((one, k) => {
      one.setAttribute('cy', y(knots[k]));
      one.setAttribute('aria-valuenow', knots[k].toFixed(2));
    });
  }
  drawCurve(false);
  const tell = () => setTriggerValue('curve',
    knots.map((height) => data.heights[Math.round(height * (data.heights.length - 1))]).join(''));

  let before = null;
  const bend = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const k = Math.min(last, Math.max(0, Math.round((point.x - LEFT) / (W - LEFT - RIGHT) * last)));
    const height = Math.min(1, Math.max(0, (FLOOR - point.y) / (FLOOR - TOP)));
    const [from, start] = before ?? [k, height];
    for (let each = Math.min(from, k); each <= Math.max(from, k); each++)
      knots[each] = from === k ? height : start + (height - start) * (each - from) / (k - from);
    before = [k, height];
    drawCurve(true);
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.target !== sheet && !event.target.classList.contains('knot')) return;
    svg.setPointerCapture(event.pointerId);
    before = null;
    bend(event);
  });
  svg.addEventListener('pointermove', (event) => { if (before) bend(event); });
  svg.addEventListener('pointerup', () => { if (before) { before = null; tell(); } });
  const focus = (k) => {
    circles.forEach((one, other) => one.setAttribute('tabindex', other === k ? 0 : -1));
    circles[k].focus({ preventScroll: true });
  };
  svg.addEventListener('keydown', (event) => {
    const k = Number(event.target.dataset?.knot ?? NaN);
    if (Number.isNaN(k)) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], rise = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (step) focus(Math.min(last, Math.max(0, k + step)));
    else if (rise) {
      knots[k] = Math.min(1, Math.max(0, knots[k] + rise / (data.heights.length - 1)));
      drawCurve(true);
      tell();
    } else if (event.key === 'Enter' || event.key === ' ') toggle(k);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  if (focused !== undefined) focus(Number(focused));
}
