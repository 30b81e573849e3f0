// A way from one image to another under a thumb: frames of one sheet, and what was measured along them.
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 320, HEIGHT = 92, EDGE = 6;

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

// One chart: the way's values, the control's dashed, the turning point dotted, and a line where the thumb is.
function chart(series, data, parent) {
  const box = document.createElement('div');
  box.className = 'chart';
  box.innerHTML = '<div class="what"></div>';
  parent.append(box);
  const svg = element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': series.label }, box);
  const all = [...series.values, ...(series.control || []), ...series.range];
  const low = Math.min(...all), high = Math.max(...all, low + 1e-9);
  const x = (share) => EDGE + share * (WIDTH - 2 * EDGE);
  const y = (value) => HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2 * EDGE);
  const path = (values) => values.map((v, k) => `${x(k / (values.length - 1))},${y(v)}`).join(' ');
  element('rect', { x: EDGE, y: EDGE, width: WIDTH - 2 * EDGE, height: HEIGHT - 2 * EDGE, class: 'frame' }, svg);
  if (series.limit !== null) element('line', { x1: x(0), x2: x(1), y1: y(series.limit), y2: y(series.limit), class: 'limit' }, svg);
  if (data.turn !== null) element('line', { x1: x(data.turn), x2: x(data.turn), y1: EDGE, y2: HEIGHT - EDGE, class: 'turn' }, svg);
  if (series.control) element('polyline', { points: path(series.control), class: 'control' }, svg);
  element('polyline', { points: path(series.values), class: 'values', stroke: data.colour }, svg);
  const [from, to] = series.ends;
  box.insertAdjacentHTML('beforeend', '<div class="ends"><span></span><span></span></div>');
  box.querySelectorAll('.ends span').forEach((place, k) => { place.textContent = k ? to : from; });
  const thumb = element('line', { y1: EDGE, y2: HEIGHT - EDGE, class: 'thumb' }, svg);
  return (frame) => {
    const at = x(frame / (series.values.length - 1));
    thumb.setAttribute('x1', at);
    thumb.setAttribute('x2', at);
    box.querySelector('.what').textContent = `${series.name} ${series.words[frame]}`;
  };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.morph');
  if (root.dataset.key === data.key) return;
  root.dataset.key = data.key;
  const picture = root.querySelector('.picture'), input = root.querySelector('input'), charts = root.querySelector('.charts');
  charts.replaceChildren();
  const moves = data.series.map((series) => chart(series, data, charts));
  picture.style.backgroundImage = `url(${data.sheet})`;
  picture.style.backgroundSize = `${100 * data.frames}% 100%`;
  picture.style.aspectRatio = data.aspect;
  input.min = 0; input.max = data.frames - 1; input.step = 1; input.value = data.frames - 1;
  input.setAttribute('aria-label', data.label);
  const show = () => {
    const frame = Number(input.value);
    picture.style.backgroundPosition = `${100 * frame / (data.frames - 1)}% 0`;
    picture.setAttribute('aria-label', `The image ${data.places[frame]}`);
    input.setAttribute('aria-valuetext', data.places[frame]);
    root.querySelector('.place').textContent = data.places[frame];
    for (const move of moves) move(frame);
  };
  input.oninput = show;
  input.onkeydown = (event) => event.stopPropagation();  // its arrow keys are not the page's
  show();
}
