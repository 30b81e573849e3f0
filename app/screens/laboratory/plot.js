// Drawing of the laboratory: one canvas a model, with the plane of points and the square of noise.
const COLOUR = { A: '#2B7CC9', B: '#D9680B', real: '#8A94A6', found: '#E11D48', truth: '#0E9F6E', random: '#8B5CF6' };
const REALISTIC = [27, 135, 106], UNREAL = [118, 72, 160];  // where the critic finds points real, and where not
const GAP = 0.06;  // between plane and noise, in widths of a square
const ARROW = 0.3;  // length of the longest push

// The frames of a message: facts, and arrays with the shape each.
function unpackedFrames(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const kinds = { Uint8Array, Int16Array, Float32Array }, arrays = {};
  let at = 4 + length;
  for (const [name, kind, shape] of head.arrays) {
    at += (4 - at % 4) % 4;
    const size = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { values: new kinds[kind](bytes.buffer, at, size), shape };
    at += size * kinds[kind].BYTES_PER_ELEMENT;
  }
  return { facts: head.facts, arrays };
}

// Picture `index` of stacked arrays as numbers, in lengths where they are 16 bits.
function pictureOf({ facts, arrays }, side, index) {
  const made = {};
  for (const name of ['points', 'landscape', 'pushes', 'manifold']) {
    const { values, shape } = arrays[`${side}.${name}`], size = values.length / shape[0];
    const scale = name === 'landscape' ? 1 / 255 : 1 / facts.unit;
    made[name] = Float32Array.from(values.subarray(index * size, (index + 1) * size), (one) => one * scale);
  }
  return made;
}

function lengthsOf({ facts, arrays }, name) {
  return arrays[name] && Float32Array.from(arrays[name].values, (one) => one / facts.unit);
}

function between(a, b, share) {
  if (!a || share >= 1) return b;
  const made = {};
  for (const [name, to] of Object.entries(b)) {
    const from = a[name];
    made[name] = from && from.length === to.length ? to.map((one, k) => from[k] + share * (one - from[k])) : to;
  }
  return made;
}

// A view from a square of the canvas to ±reach.
function square(left, top, side, reach) {
  return {
    left, top, side, reach,
    x: (value) => left + side * (value + reach) / (2 * reach),
    y: (value) => top + side * (reach - value) / (2 * reach),
    inside: (x, y) => x >= left && x <= left + side && y >= top && y <= top + side,
    at: (x, y) => [(x - left) / side * 2 * reach - reach, reach - (y - top) / side * 2 * reach],
  };
}

function squares(width, height, facts) {
  if (height > width) {
    const side = Math.min(width, height / (2 + GAP));
    return [square(0, 0, side, facts.plane), square(0, height - side, side, facts.reach)];
  }
  const side = Math.min(height, width / (2 + GAP));
  return [square(0, 0, side, facts.plane), square(width - side, 0, side, facts.reach)];
}

// G of any noise, between the places of the manifold's lattice.
function imageOf(manifold, side, reach, z) {
  const at = z.map((one) => Math.min(side - 1.0001, Math.max(0, (one + reach) / (2 * reach) * (side - 1))));
  const [i, j] = at.map(Math.floor), [s, t] = [at[0] - i, at[1] - j];
  const corner = (di, dj, k) => manifold[2 * ((j + dj) * side + i + di) + k];
  return [0, 1].map((k) => (1 - t) * ((1 - s) * corner(0, 0, k) + s * corner(1, 0, k))
    + t * ((1 - s) * corner(0, 1, k) + s * corner(1, 1, k)));
}

function arrow(context, x, y, toX, toY, head) {
  const angle = Math.atan2(toY - y, toX - x);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  if (Math.hypot(toX - x, toY - y) > head) {
    for (const turn of [-2.6, 2.6]) {
      context.moveTo(toX, toY);
      context.lineTo(toX + head * Math.cos(angle + turn), toY + head * Math.sin(angle + turn));
    }
  }
  context.stroke();
}

function dots(context, view, points, radius, colour, alpha) {
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  for (let k = 0; k < points.length; k += 2) {
    context.beginPath();
    context.arc(view.x(points[k]), view.y(points[k + 1]), radius, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}

function drawLandscape(context, view, landscape) {
  const side = Math.sqrt(landscape.length), sheet = new OffscreenCanvas(side, side), pixels = new ImageData(side, side);
  landscape.forEach((value, k) => {
    const row = side - 1 - Math.floor(k / side), at = 4 * (row * side + k % side);
    const colour = value > .5 ? REALISTIC : UNREAL;
    pixels.data.set([...colour, 255 * Math.min(1, Math.abs(value - .5) * 2) * .55], at);
  });
  sheet.getContext('2d').putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = true;
  const half = view.side / (side - 1) / 2;
  context.drawImage(sheet, view.left - half, view.top - half, view.side + 2 * half, view.side + 2 * half);
}

// Cells of the noise's lattice where G puts them: the smaller a cell has become, the denser are its points.
function drawManifold(context, view, manifold, colour) {
  const side = Math.sqrt(manifold.length / 2), even = (2 * view.reach / (side - 1)) ** 2;
  const x = (k) => view.x(manifold[2 * k]), y = (k) => view.y(manifold[2 * k + 1]);
  const scale = (view.side / (2 * view.reach)) ** 2;
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = .6;
  for (let row = 0; row < side - 1; row++) for (let column = 0; column < side - 1; column++) {
    const at = [row * side + column, row * side + column + 1, (row + 1) * side + column + 1, (row + 1) * side + column];
    let area = 0;
    at.forEach((k, i) => { const next = at[(i + 1) % 4]; area += x(k) * y(next) - x(next) * y(k); });
    area = Math.abs(area) / 2 / scale;
    context.globalAlpha = Math.min(.55, Math.max(.03, .12 * even / (area + .02 * even)));
    context.beginPath();
    at.forEach((k, i) => context[i ? 'lineTo' : 'moveTo'](x(k), y(k)));
    context.closePath();
    context.fill();
    context.globalAlpha = .35;
    context.stroke();
  }
  context.globalAlpha = 1;
}

// What stands for a kind of move, also in its colour's absence: a triangle, a ring, a diamond.
function mark(context, kind, x, y, size) {
  context.beginPath();
  if (kind === 'truth') context.arc(x, y, size, 0, 7);
  else {
    const corners = kind === 'found' ? [[0, -1.2], [1.05, .8], [-1.05, .8]] : [[0, -1.2], [1.1, 0], [0, 1.2], [-1.1, 0]];
    corners.forEach(([dx, dy], k) => context[k ? 'lineTo' : 'moveTo'](x + size * dx, y + size * dy));
    context.closePath();
  }
}

function marked(context, kind, x, y, size) {
  mark(context, kind, x, y, size);
  if (kind === 'truth') { context.strokeStyle = COLOUR.truth; context.lineWidth = 2; context.stroke(); return; }
  context.fillStyle = COLOUR[kind];
  context.fill();
}

const KINDS = ['random', 'truth', 'found'];

// scene: picture, real, noise, field {z, found, truth, random, …_images}, facts, layers (a set), pointed (a place or -1).
function drawTwin(canvas, side, scene, ink) {
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext('2d'), { picture, field, facts, layers, pointed } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const [plane, noise] = squares(width, height, facts), size = Math.max(1.6, plane.side / 130);
  context.save();
  context.beginPath();
  context.rect(plane.left, plane.top, plane.side, plane.side);
  context.clip();
  if (layers.has('l')) drawLandscape(context, plane, picture.landscape);
  if (layers.has('m')) drawManifold(context, plane, picture.manifold, COLOUR[side]);
  if (layers.has('d')) dots(context, plane, scene.real, size, ink, .45);
  if (layers.has('g')) dots(context, plane, picture.points, size * 1.15, COLOUR[side], .85);
  if (layers.has('a')) {
    context.strokeStyle = ink;
    context.lineWidth = 1.2;
    for (let k = 0; k < picture.pushes.length; k += 2) {
      const [x, y] = [picture.points[k], picture.points[k + 1]];
      arrow(context, plane.x(x), plane.y(y), plane.x(x + ARROW * picture.pushes[k]),
        plane.y(y + ARROW * picture.pushes[k + 1]), 4);
    }
  }
  for (const kind of KINDS) {
    if (!field[kind] || !layers.has(kind[0]) || !layers.has('w')) continue;
    context.globalAlpha = .8;
    for (let k = 0; k < field[kind].length; k += 2)
      marked(context, kind, plane.x(field[`${kind}_images`][k]), plane.y(field[`${kind}_images`][k + 1]), size * 1.3);
    context.globalAlpha = 1;
  }
  context.restore();

  context.save();
  context.beginPath();
  context.rect(noise.left, noise.top, noise.side, noise.side);
  context.clip();
  if (layers.has('n')) dots(context, noise, scene.noise, size * .9, COLOUR.real, .5);
  for (const kind of KINDS) {
    if (!field[kind] || !layers.has(kind[0])) continue;
    context.strokeStyle = COLOUR[kind];
    context.lineWidth = kind === 'truth' ? 3.4 : 1.5;
    context.globalAlpha = kind === 'truth' && field.found ? .55 : .95;
    for (let k = 0; k < field.z.length; k += 2) {
      const [x, y] = [field.z[k], field.z[k + 1]];
      arrow(context, noise.x(x), noise.y(y), noise.x(x + field[kind][k]), noise.y(y + field[kind][k + 1]), 4);
    }
    context.globalAlpha = 1;
  }
  context.restore();
  context.strokeStyle = ink;
  context.globalAlpha = .5;
  context.lineWidth = 1;
  for (const view of [plane, noise]) context.strokeRect(view.left + .5, view.top + .5, view.side - 1, view.side - 1);
  context.globalAlpha = .9;
  context.fillStyle = ink;
  context.font = '13px sans-serif';
  context.fillText('points', plane.left + 7, plane.top + 17);
  context.fillText('noise', noise.left + 7, noise.top + 17);
  context.globalAlpha = 1;
  if (pointed >= 0) drawPointed(context, plane, noise, scene, side, ink, size);
  if (scene.cursor) {
    context.strokeStyle = ink;
    context.strokeRect(plane.x(scene.cursor[0]) - 6, plane.y(scene.cursor[1]) - 6, 12, 12);
  }
}

// The ball of a place of noise, what G makes of it, its worst moves, and the ways there.
function drawPointed(context, plane, noise, scene, side, ink, size) {
  const { picture, field, facts, pointed } = scene, z = [field.z[2 * pointed], field.z[2 * pointed + 1]];
  const lattice = Math.sqrt(picture.manifold.length / 2), image = (at) => imageOf(picture.manifold, lattice, facts.reach, at);
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(noise.x(z[0]), noise.y(z[1]), noise.side * facts.radius / (2 * facts.reach), 0, 7);
  context.stroke();
  context.save();
  context.beginPath();
  context.rect(plane.left, plane.top, plane.side, plane.side);
  context.clip();
  context.beginPath();
  for (let k = 0; k <= 72; k++) {
    const angle = 2 * Math.PI * k / 72;
    const [x, y] = image([z[0] + facts.radius * Math.cos(angle), z[1] + facts.radius * Math.sin(angle)]);
    context[k ? 'lineTo' : 'moveTo'](plane.x(x), plane.y(y));
  }
  context.stroke();
  const start = image(z);
  for (const kind of KINDS) {
    if (!field[kind] || !scene.layers.has(kind[0])) continue;
    const r = [field[kind][2 * pointed], field[kind][2 * pointed + 1]];
    context.strokeStyle = COLOUR[kind];
    context.lineWidth = 2.5;
    context.beginPath();
    context.moveTo(plane.x(start[0]), plane.y(start[1]));
    for (let k = 1; k <= 20; k++) {
      const [x, y] = image([z[0] + r[0] * k / 20, z[1] + r[1] * k / 20]);
      context.lineTo(plane.x(x), plane.y(y));
    }
    const end = [field[`${kind}_images`][2 * pointed], field[`${kind}_images`][2 * pointed + 1]];
    context.lineTo(plane.x(end[0]), plane.y(end[1]));
    context.stroke();
    marked(context, kind, plane.x(end[0]), plane.y(end[1]), size * 2.6);
  }
  context.fillStyle = ink;
  context.beginPath();
  context.arc(plane.x(start[0]), plane.y(start[1]), size * 2.2, 0, 7);
  context.fill();
  context.restore();
  context.fillStyle = ink;
  context.beginPath();
  context.arc(noise.x(z[0]), noise.y(z[1]), size * 2, 0, 7);
  context.fill();
  for (const kind of KINDS) {
    if (!field[kind] || !scene.layers.has(kind[0])) continue;
    const [x, y] = [noise.x(z[0] + field[kind][2 * pointed]), noise.y(z[1] + field[kind][2 * pointed + 1])];
    context.strokeStyle = COLOUR[kind];
    context.lineWidth = 2.5;
    arrow(context, noise.x(z[0]), noise.y(z[1]), x, y, 7);
    marked(context, kind, x, y, size * 2.2);
  }
}

// A number with a minus sign instead of a hyphen.
function decimal(value, digits) {
  return value.toFixed(digits).replace('-', '−');
}

// Lines of both twins over steps.
function drawCurve(canvas, rows, of, ink, top) {
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = '11px sans-serif';
  const floor = height - 16, last = Math.max(1, ...rows.map((row) => row.steps));
  const values = rows.flatMap((row) => [of(row.A), of(row.B)]), most = top ?? Math.max(1e-6, ...values);
  const least = Math.min(0, ...values), ends = [most, least].map((one) => `${Number(one.toPrecision(2))}`.replace('-', '−'));
  const left = 8 + Math.max(24, ...ends.map((one) => context.measureText(one).width));
  const x = (steps) => left + (width - left - 4) * steps / last;
  const y = (value) => floor - (floor - 6) * (value - least) / (most - least || 1);
  context.strokeStyle = context.fillStyle = ink;
  context.globalAlpha = .6;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, 4);
  context.lineTo(left, floor);
  context.lineTo(width - 4, floor);
  context.stroke();
  context.globalAlpha = .9;
  context.textAlign = 'right';
  context.fillText(ends[0], left - 4, 13);
  context.fillText(ends[1], left - 4, floor);
  context.fillText(last.toLocaleString('en'), width - 4, height - 3);
  context.globalAlpha = 1;
  for (const side of ['A', 'B']) {
    context.strokeStyle = COLOUR[side];
    context.lineWidth = 2.2;
    context.setLineDash(side === 'B' ? [6, 3] : []);
    context.beginPath();
    rows.forEach((row, k) => context[k ? 'lineTo' : 'moveTo'](x(row.steps), y(of(row[side]))));
    context.stroke();
  }
  context.setLineDash([]);
}
