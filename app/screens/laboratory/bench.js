// The bench: it asks the server for a stretch of training when it needs one, plays the pictures that come, and asks for
// nothing while it is paused or hidden. plot.js, which stands before this, draws.
const LAYERS = {
  d: ['real', 'Real points'], g: ['generated', 'Generated points'], l: ['landscape', 'Where the critic finds points real'],
  a: ['pushes', 'Where the critic’s gradient pushes generated points'],
  m: ['grid', 'A grid of noise where the generator puts it: the darker, the denser'], n: ['noise', 'Noise of the points'],
  f: ['▲ attack', 'Worst moves by the attack'], t: ['○ true worst', 'Worst moves by looking everywhere'],
  r: ['◆ random', 'Random moves as long as the attack’s'], w: ['landings', 'Where the moves of all places land'],
};
const USUAL = 'ldgftm';
const PACE = { least: 50, most: 400 };  // ms from one picture to the next: as they come, so that they move evenly
const PATIENCE = 20000;  // ms without an answer, after which it is asked again
const AGAIN = 700;  // ms between questions whether the search has ended
const CURVES = [
  ['W₁ to the data', (one) => one.distance, (one) => one.distance.toFixed(2)],
  ['Modes covered', (one) => one.modes, (one) => `${one.modes}/${one.of}`, (one) => one.of],
  ['Worst move adds to the generator’s loss', (one) => one.worst, (one) => decimal(one.worst, 2)],
  ['… and to the critic’s', (one) => one.critic, (one) => decimal(one.critic, 2)],
];

function addressed(parameters) {
  const address = new URL(window.location.href);
  for (const [name, value] of Object.entries(parameters))
    if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
  if (address.href !== window.location.href)
    History.prototype.replaceState.call(window.history, window.history.state, '', address);
}

function assembled(place) {
  const lab = { place, canvases: {}, queue: [], number: 0, playing: false, pending: 0, pointed: -1, cursor: null,
    training: null, shown: {}, layers: null, speed: 5, looked: false,
    pace: PACE.least, came: 0 };
  const get = (what) => place.querySelector(what);
  lab.get = get;
  for (const side of ['A', 'B']) lab.canvases[side] = get(`.twin.${side} canvas`);
  for (const [letter, [words, title]] of Object.entries(LAYERS)) {
    const button = document.createElement('button');
    button.textContent = words;
    button.title = title;
    button.dataset.layer = letter;
    button.addEventListener('click', () => {
      lab.layers.has(letter) ? lab.layers.delete(letter) : lab.layers.add(letter);
      const now = [...lab.layers].sort().join('');
      addressed({ [lab.facts.parameter]: now === [...USUAL].sort().join('') ? '' : now || '-' });
      lab.draw();
      lab.tell();
    });
    get('.layers').append(button);
  }
  get('.curves').innerHTML = CURVES.map(() =>
    '<div><p><span class="name"></span> <span class="values"></span></p><canvas role="img"></canvas></div>').join('');
  get('.speed').value = String(lab.speed);
  get('.speed').addEventListener('change', (event) => { lab.speed = Number(event.target.value); });

  lab.ask = (kind, more = {}) => {
    lab.pending = performance.now();
    lab.send({ kind, stride: lab.speed, number: ++lab.number, aim: lab.facts?.aim, seen: lab.seen, ...more });
  };
  // What is on its way when it is paused comes still; the look that is asked for next lets the rest of the way go.
  const pause = () => { lab.stopped = lab.catching; lab.playing = lab.catching = lab.looked = false; lab.tell(); };
  get('.play').addEventListener('click', () => {
    if (lab.playing || lab.catching) pause(); else { lab.playing = true; lab.looked = false; lab.error = ''; }
    lab.tell();
    lab.wake();
  });
  get('.full').addEventListener('click', () =>
    document.fullscreenElement ? document.exitFullscreen() : place.querySelector('.lab').requestFullscreen?.());
  for (const kind of ['restart', 'step', 'critic', 'generator'])
    get(`.${kind}`).addEventListener('click', () => { pause(); lab.ask(kind); lab.wake(); });

  // A frame of the screen; nothing runs while nothing moves.
  let running = false, begun = 0;
  lab.wake = () => { if (!running) { running = true; requestAnimationFrame(lab.tick); } };
  lab.tick = (now) => {
    running = false;
    if (!place.isConnected) return;
    const next = lab.queue[0];
    if (next) {
      if (!begun) begun = now;
      const share = Math.min(1, (now - begun) / lab.pace);
      for (const side of ['A', 'B']) lab.shown[side] = between(lab.from?.[side], next[side], share);
      if (share === 1) {
        lab.from = { A: next.A, B: next.B };
        lab.at = next.steps;
        lab.queue.shift();
        begun = now;
        if (!lab.queue.length) { lab.field = lab.coming; begun = 0; lab.tell(); }
        get('.at').textContent = `step ${lab.at.toLocaleString('en')}`;
      }
      lab.draw();
    }
    const late = lab.pending && now - lab.pending > PATIENCE;
    if (!lab.pending || late) {
      const soon = lab.queue.length <= 3 && now > (lab.notBefore || 0);
      if (lab.catching && soon) lab.ask('catch');
      else if (lab.playing && soon) {
        if (lab.facts.at >= lab.facts.most) pause(); else lab.ask('play');
      } else if (!lab.playing && !lab.catching && !lab.looked && !lab.queue.length && soon && !lab.error) lab.ask('look');
    }
    if (lab.queue.length || lab.playing || lab.catching || lab.pending || (!lab.looked && !lab.error)) lab.wake();
  };

  const ink = () => getComputedStyle(place.querySelector('.lab')).color;
  lab.draw = () => {
    if (!lab.shown.A) return;
    for (const side of ['A', 'B'])
      drawTwin(lab.canvases[side], side, { picture: lab.shown[side], real: lab.real, noise: lab.noise, facts: lab.facts,
        field: lab.field?.[side] ?? { z: lab.z }, layers: lab.layers, pointed: lab.pointed, cursor: lab.cursor }, ink());
  };
  lab.tell = () => {
    const { facts } = lab;
    get('.play').textContent = lab.playing || lab.catching ? '❚❚ Pause' : '▶ Play';
    get('.play').setAttribute('aria-pressed', String(lab.playing));
    for (const button of place.querySelectorAll('[data-layer]'))
      button.setAttribute('aria-pressed', String(lab.layers.has(button.dataset.layer)));
    const said = get('.said'), words = lab.error || facts.waiting || (lab.catching
      ? `On its way to step ${facts.goal.toLocaleString('en')}.` : facts.words);
    said.classList.toggle('wrong', Boolean(lab.error));
    if (said.textContent !== words) said.textContent = words;
    said.setAttribute('aria-live', lab.playing || lab.catching ? 'off' : 'polite');
    for (const side of ['A', 'B']) {
      const canvas = lab.canvases[side];
      get(`.twin.${side} .pointed`).textContent = pointedWords(side);
      canvas.setAttribute('aria-label', `Model ${side}: points left, noise right. Arrow keys point at a place of noise` +
        (facts.drawn === null ? '.' : '; with Shift they move in the plane, where Enter sets a point or takes it away.'));
    }
    curves();
  };
  const pointedWords = (side) => {
    const field = lab.field?.[side], k = lab.pointed;
    if (k < 0) return side === 'A' ? 'Point at the noise: its ball, its image and its worst move appear in both models.' : '';
    if (!field?.gains) return '';
    const number = (name, row) => field[name] && `${{ found: '▲ attack', truth: '○ true worst', random: '◆ random' }[name]} ` +
      `${decimal(field.gains[row][k], 3)} at ‖r‖ ${Math.hypot(field[name][2 * k], field[name][2 * k + 1]).toFixed(2)}`;
    const [x, y] = [field.z[2 * k], field.z[2 * k + 1]].map((one) => decimal(one, 1));
    return `z (${x}, ${y}), added to the loss: ` +
      [number('found', 1), number('truth', 0), number('random', 2)].filter(Boolean).join(' · ');
  };
  const curves = () => {
    const { rows, radius, price } = lab.facts, last = rows[rows.length - 1];
    const own = rows.filter((row) => row.radius === radius && row.price === price);
    [...get('.curves').children].forEach((box, k) => {
      const [name, of, words, top] = CURVES[k], shown = k < 2 ? rows : own, now = shown[shown.length - 1];
      box.querySelector('.name').textContent = name;
      box.querySelector('.values').innerHTML = now
        ? `<span class="a">A ${words(now.A)}</span> · <span class="b">B ${words(now.B)}</span>` : '';
      const canvas = box.querySelector('canvas');
      canvas.setAttribute('aria-label', now ? `${name} over steps; now A ${words(now.A)}, B ${words(now.B)}` : name);
      drawCurve(canvas, shown, of, ink(), last && top ? top(last.A) : undefined);
    });
  };

  const point = (k) => { if (k !== lab.pointed) { lab.pointed = k; lab.draw(); lab.tell(); } };
  const drawing = (at) => {
    const { facts } = lab, { digits, plane } = facts, code = (one) => digits[Math.max(0, Math.min(digits.length - 1,
      Math.round((one + plane) / (2 * plane) * (digits.length - 1))))];
    const pair = at.map(code).join(''), pairs = facts.drawn.match(/../g) ?? [];
    const near = pairs.findIndex((one) => [0, 1].every((k) => Math.abs(digits.indexOf(one[k]) - digits.indexOf(pair[k])) < 2));
    if (near >= 0) pairs.splice(near, 1); else pairs.push(pair);
    pause();
    lab.ask('drawn', { points: pairs.join('') });
  };
  for (const canvas of Object.values(lab.canvases)) {
    const where = (event) => {
      const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      const [plane, noise] = squares(canvas.clientWidth, canvas.clientHeight, lab.facts);
      return { plane: plane.inside(x, y) && plane.at(x, y), noise: noise.inside(x, y) && noise.at(x, y) };
    };
    canvas.addEventListener('pointermove', (event) => {
      if (!lab.facts) return;
      const { noise } = where(event), { side, reach } = lab.facts;
      if (!noise) return;
      const [i, j] = noise.map((one) => Math.round((one + reach) / (2 * reach) * (side - 1)));
      point(j * side + i);
    });
    canvas.addEventListener('pointerdown', (event) => {
      const { plane } = where(event);
      if (plane && lab.facts.drawn !== null) drawing(plane);
    });
    canvas.addEventListener('keydown', (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const { side, plane, digits, drawn } = lab.facts;
      if (move && event.shiftKey && drawn !== null) {
        const step = 2 * plane / (digits.length - 1);
        lab.cursor = (lab.cursor ?? [0, 0]).map((one, k) => Math.max(-plane, Math.min(plane, one + step * move[k])));
        lab.draw();
      } else if (move) {
        const [i, j] = lab.pointed < 0 ? [(side - 1) / 2, (side - 1) / 2] : [lab.pointed % side, Math.floor(lab.pointed / side)];
        const [to, up] = [i + move[0], j + move[1]].map((one) => Math.max(0, Math.min(side - 1, one)));
        point(up * side + to);
      } else if (event.key === 'Enter' && drawn !== null) drawing(lab.cursor ?? [0, 0]);
      else if (event.key === 'Escape') { lab.cursor = null; point(-1); }
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  new ResizeObserver(() => { if (lab.facts) { lab.draw(); curves(); } }).observe(place);
  return lab;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.lab');
  const lab = root.laboratory ??= assembled(root.parentElement);
  lab.send = (asked) => setTriggerValue('ask', asked);
  if (lab.last === data.frames) return;
  lab.last = data.frames;
  const message = unpackedFrames(data.frames), { facts, arrays } = message, first = !lab.facts;
  const anew = facts.training !== lab.training || facts.at < (lab.facts?.at ?? 0);
  const moved = first || facts.at !== lab.facts.at || facts.address.lab_past !== lab.facts.address.lab_past;
  const other = moved || facts.radius !== lab.facts.radius || facts.price !== lab.facts.price || facts.method !== lab.facts.method
    || !facts.answers;
  // Somebody has set another goal, such as a lesson's: what was played or stopped on the way to the last one is over.
  if (lab.facts && facts.aim !== lab.facts.aim && facts.goal > facts.at) lab.playing = lab.stopped = false;
  lab.training = facts.training;
  lab.facts = facts;
  if (facts.goal <= facts.at) lab.stopped = false;
  lab.error = facts.error;
  lab.pending = 0;
  lab.notBefore = performance.now() + (facts.waiting ? 1000 * facts.again : facts.looking ? AGAIN : 0);
  if (first) lab.layers = new Set(facts.layers === '-' ? '' : facts.layers || USUAL);
  lab.real = lengthsOf(message, 'real');
  lab.noise = lengthsOf(message, 'noise');
  const line = Array.from({ length: facts.side }, (_, k) => facts.reach * (2 * k / (facts.side - 1) - 1));
  lab.z = Float32Array.from(line.flatMap((y) => line.flatMap((x) => [x, y])));
  if (facts.error) { lab.playing = lab.catching = false; }
  if (arrays['A.points']) {
    lab.seen = facts.seen;
    let field = {};
    for (const side of ['A', 'B']) {
      field[side] = { z: lab.z };
      for (const kind of KINDS) for (const name of [kind, `${kind}_images`]) {
        const found = lengthsOf(message, `${side}.${name}`);
        if (found) field[side][name] = found;
      }
      if (!arrays[`${side}.gains`]) continue;
      const { values, shape } = arrays[`${side}.gains`];
      field[side].gains = Array.from({ length: shape[0] }, (_, k) => values.subarray(k * shape[1], (k + 1) * shape[1]));
    }
    if (!field.A.gains) field = anew ? null : lab.coming ?? lab.field;
    const pictures = facts.steps.map((steps, index) =>
      ({ steps, A: pictureOf(message, 'A', index), B: pictureOf(message, 'B', index) }));
    if (anew) { lab.queue = []; lab.from = null; }
    const now = performance.now();
    if (pictures.length > 1) lab.pace = Math.min(PACE.most, Math.max(PACE.least, (now - lab.came) / pictures.length));
    lab.came = now;
    if (moved || anew) { lab.queue.push(...pictures); lab.coming = field; }
    else if (!lab.queue.length) lab.field = field;
    else lab.coming = field;
  }
  lab.catching = !lab.playing && !lab.stopped && facts.goal > facts.at && !facts.error;
  if (other) lab.looked = false;
  if (facts.shares) lab.looked = true;
  addressed(facts.address);
  lab.tell();
  lab.draw();
  lab.wake();
}
