// The stage: a path along ε that was computed once and is played here. `mount(element, data, callbacks)` builds it in
// `element`, or gives new data to the one that is there: frames then improve in their places. It returns what ends it.
// data: of `rgan.report.stage.stage_data`. callbacks, both optional: picked(sample), released(ε).
const mount = (() => {
  const KINDS = ['original', 'worst', 'random'];
  const LETTERS = { original: '1', worst: '2', random: '3' };
  const RED = '#d61e1e', CHANGED = '#ffd23f';
  const RISE = 3600, REST = 900, FALL = 2400, PAUSE = 400, GLIDE = 600;  // milliseconds
  const NARROW = 620;  // pixels, below which two models stand one above the other
  const BETWEEN = 24;  // pixels between two models
  const ABOVE = 110;  // pixels of a phone's screen left to what stands above the stage
  const LARGEST = 220;  // pixels of a tile
  const CLOSE_UP = 132;  // pixels of an enlarged image
  const FILMS = [['video/mp4;codecs=avc1', 'mp4'], ['video/webm;codecs=vp9', 'webm'], ['video/webm', 'webm']];
  const HTML = `
    <p class="sentence"></p>
    <div class="panes"></div>
    <div class="controls">
      <button type="button" class="play"></button>
      <div class="epsilon"><input type="range" min="0" step="any" aria-label="ε, how far the noise may move"/>
        <output></output></div>
      <div class="kinds" role="group" aria-label="What the grids show"></div>
    </div>
    <div class="foot">
      <div class="legend"><span class="broken"><i></i><span></span></span><span class="changed"><i></i><span></span></span>
        <span class="names"></span><span class="settings"></span>
        <span class="keys">Keys: ← → move ε, ↑ ↓ the sample, space flips original and worst, 1 2 3 choose</span></div>
      <div class="exports"><button type="button" class="png" title="Keep what is shown as a PNG">Picture</button>
        <button type="button" class="film" title="Keep one way there and back as a film">Film</button></div>
    </div>
    <div class="close-up" hidden></div>
    <div class="waiting" role="status"></div>
    <div class="announced" aria-live="polite"></div>`;

  const density = () => Math.min(window.devicePixelRatio || 1, 2);
  const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
  const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
  const decimal = (value) => value.toFixed(2).replace('-', '−');

  function made(tag, look, parent, text = '') {
    const one = document.createElement(tag);
    if (look) one.className = look;
    one.textContent = text;
    parent.append(one);
    return one;
  }

  function canvas(width, height) {
    const one = document.createElement('canvas');
    one.width = width;
    one.height = height;
    return one;
  }

  // A sheet, in base64 or as a Blob.
  async function bitmap(sheet) {
    const found = typeof sheet === 'string' ? await fetch(`data:image/webp;base64,${sheet}`) : null;
    return createImageBitmap(found ? await found.blob() : sheet);
  }

  // Frames with their sheets decoded; `arrives` promises those that are still on their way.
  async function developed(given) {
    const frames = given.arrives ? await given.arrives() : given;
    const sheets = {};
    for (const kind of KINDS) sheets[kind] = await Promise.all(frames.sheets[kind].map(bitmap));
    return { ...frames, pictures: sheets };
  }

  // The sheet of a frame, and where in it the frame begins.
  function cut(frames, kind, frame) {
    const [count, height] = frames.size;
    if (kind === 'original' || frame === 0) return [frames.pictures.original[0], 0];
    const tall = Math.ceil(count / frames.columns) * height;
    const number = frame - 1;
    return [frames.pictures[kind][Math.floor(number / frames.frames_a_sheet)], (number % frames.frames_a_sheet) * tall];
  }

  // The frames that a kind shows at a place on the path, each with its weight.
  function mixture(kind, place) {
    if (kind === 'original') return [[0, 1]];
    return place.share ? [[place.frame, 1 - place.share], [place.frame + 1, place.share]] : [[place.frame, 1]];
  }

  // Numbers of a kind at a frame; the original's stand in the first.
  function numbers(frames, kind, frame) {
    const track = frames[kind === 'random' ? 'random' : 'worst'];
    const at = kind === 'original' ? 0 : frame;
    const labels = Object.entries(track.labels);
    return {
      broken: (sample) => Boolean(track.broken && track.broken[at][sample]),
      changed: (sample) => labels.some(([, read]) => read[at][sample] !== read[0][sample]),
      words: (sample) => {
        const named = (name, value) => (frames.names[name] ? frames.names[name][value] : value);
        const said = labels.flatMap(([name, read]) => {
          const [before, now] = [0, at].map((one) => named(name, read[one][sample]));
          const words = name.replaceAll('_', ' ');
          if (before !== now) return `${words} ${before} → ${now}`;
          return labels.length === 1 ? `${words} ${now}` : [];  // of many attributes, those that changed
        });
        if (track.badness) said.unshift(`badness ${percent(track.badness[at][sample])}`);
        if (at > 0) said.push(`change ${percent(track.change[at][sample])}`);
        if (track.loss) said.push(`loss ${decimal(track.loss[at][sample])}`);
        return said;
      },
    };
  }

  // How many columns make the largest tiles, and how large they are; full rows are worth a smaller tile.
  function arranged(count, width, height, gap, ratio) {
    let best = null;
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const across = (width - gap * (columns - 1)) / columns, down = (height - gap * (rows - 1)) / rows / ratio;
      const tile = Math.max(1, Math.floor(Math.min(across, down, LARGEST)));
      const worth = tile * (count / (rows * columns)) ** 2;
      if (!best || worth > best.worth) best = { columns, tile, rows, worth };
    }
    return best;
  }

  function ringed(width, height) {
    const sprite = canvas(width, height), ink = sprite.getContext('2d');
    const line = Math.max(2.5, 0.06 * Math.min(width, height));
    for (const [colour, thick] of [['rgba(255, 255, 255, .9)', line * 1.5], [RED, line]]) {
      ink.strokeStyle = colour;
      ink.lineWidth = thick;
      ink.beginPath();
      ink.ellipse(width / 2, height / 2, width / 2 - line * 0.75, height / 2 - line * 0.75, 0, 0, 2 * Math.PI);
      ink.stroke();
    }
    return sprite;
  }

  function cornered(width, height) {
    const sprite = canvas(width, height), ink = sprite.getContext('2d');
    const side = Math.max(7, 0.2 * Math.min(width, height));
    ink.fillStyle = CHANGED;
    ink.strokeStyle = '#10151c';
    ink.lineWidth = Math.max(1, side / 10);
    ink.beginPath();
    ink.moveTo(0, height - side);
    ink.lineTo(side, height);
    ink.lineTo(0, height);
    ink.closePath();
    ink.fill();
    ink.stroke();
    return sprite;
  }

  // A canvas to enlarge on: `fine` is smoother and costs ten times as much, which only what stands still can afford.
  function enlarging(canvas, fine) {
    const ink = canvas.getContext('2d');
    ink.imageSmoothingEnabled = true;
    ink.imageSmoothingQuality = fine ? 'high' : 'low';
    return ink;
  }

  // One model: its grid, and above it what it is.
  class Pane {
    constructor(stage, index) {
      this.stage = stage;
      this.root = made('figure', 'pane', stage.part('.panes'));
      const words = made('figcaption', '', this.root);
      const title = made('div', 'title', words), count = made('div', 'count', words);
      [this.side, this.name, this.about] = ['side', 'name', 'about'].map((look) => made('span', look, title));
      [this.worst, this.random] = ['worst', 'random'].map((look) => made('span', look, count));
      this.grid = made('div', 'grid', this.root);
      this.canvas = made('canvas', '', this.grid);
      this.canvas.setAttribute('aria-hidden', 'true');
      this.samples = made('div', 'samples', this.grid);
      this.samples.setAttribute('role', 'listbox');
      this.listen(index);
    }

    listen(index) {
      const at = (event) => this.options().indexOf(event.target.closest('[role=option]'));
      const shows = (event) => { if (at(event) >= 0) this.stage.enlarge(index, at(event)); };
      this.samples.addEventListener('pointerover', shows);
      this.samples.addEventListener('focusin', shows);
      this.samples.addEventListener('pointerleave', () => this.stage.enlarge(null));
      this.samples.addEventListener('focusout', () => this.stage.enlarge(null));
      this.samples.addEventListener('click', (event) => {
        if (at(event) < 0) return;
        this.stage.pick(at(event));
        shows(event);
      });
      this.samples.addEventListener('keydown', (event) => {
        const now = at(event), last = this.options().length - 1;
        const next = { ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: last }[event.key];
        if (event.key === 'Enter') this.stage.pick(now);
        else if (next === undefined) return;
        else this.options()[Math.min(Math.max(next, 0), last)].focus();
        event.preventDefault();
        event.stopPropagation();
      });
    }

    options() {
      return [...this.samples.children];
    }

    // What is known of the model, when it is known.
    show(model, frames) {
      this.model = model;
      this.frames = frames;
      this.side.textContent = model.side;
      this.root.style.setProperty('--side', model.colour);
      this.name.textContent = model.name;
      this.about.textContent = model.about;
      this.samples.setAttribute('aria-label', `Images of ${model.side}, ${model.name}`);
      const [count, height, width] = frames.size;
      this.mixer = canvas(frames.columns * width, Math.ceil(count / frames.columns) * height);
      while (this.samples.children.length > count) this.samples.lastChild.remove();
      while (this.samples.children.length < count) {
        const one = made('div', '', this.samples);
        one.setAttribute('role', 'option');
        one.tabIndex = this.samples.children.length === 1 ? 0 : -1;
      }
    }

    fit(width, height) {
      const [count, tall, wide] = this.frames.size;
      const gap = count > 25 ? 3 : 4;
      const { columns, tile, rows } = arranged(count, width, height, gap, tall / wide);
      const dense = density(), down = Math.round(tile * tall / wide);
      this.columns = columns;
      this.dense = dense;
      this.tile = [Math.round(tile * dense), Math.round(down * dense)];
      this.gap = Math.round(gap * dense);
      this.canvas.width = columns * this.tile[0] + (columns - 1) * this.gap;
      this.canvas.height = rows * this.tile[1] + (rows - 1) * this.gap;
      const size = [this.canvas.width / dense, this.canvas.height / dense];
      this.grid.style.width = `${size[0]}px`;
      this.grid.style.height = `${size[1]}px`;
      this.samples.style.gridTemplateColumns = `repeat(${columns}, ${this.tile[0] / dense}px)`;
      this.samples.style.gridAutoRows = `${this.tile[1] / dense}px`;
      this.samples.style.gap = `${this.gap / dense}px`;
      this.ring = ringed(...this.tile);
      this.mark = cornered(...this.tile);
    }

    // Draw the images of a kind at a place on the path: those of a frame, crossing over into the next.
    draw(kind, place, fine) {
      const { frames } = this, [count, height, width] = frames.size, shown = mixture(kind, place);
      const mixed = this.mixer.getContext('2d'), size = [this.mixer.width, this.mixer.height];
      shown.forEach(([frame, weight], over) => {
        const [sheet, top] = cut(frames, kind, frame);
        mixed.globalAlpha = over ? weight : 1;
        mixed.drawImage(sheet, 0, top, ...size, 0, 0, ...size);
      });
      const ink = enlarging(this.canvas, fine);
      ink.globalAlpha = 1;
      for (let sample = 0; sample < count; sample += 1) {
        ink.drawImage(this.mixer, (sample % frames.columns) * width, Math.floor(sample / frames.columns) * height,
          width, height, ...this.corner(sample), ...this.tile);
      }
      const said = shown.map(([frame, weight]) => [numbers(frames, kind, frame), weight]);
      for (let sample = 0; sample < count; sample += 1) {
        this.stamped(ink, this.mark, sample, said, 'changed');
        this.stamped(ink, this.ring, sample, said, 'broken');
      }
    }

    stamped(ink, sprite, sample, said, what) {
      const alpha = said.reduce((sum, [number, weight]) => sum + (number[what](sample) ? weight : 0), 0);
      if (alpha === 0) return;
      ink.globalAlpha = alpha;
      ink.drawImage(sprite, ...this.corner(sample));
    }

    // Left and top of a sample's tile in the canvas.
    corner(sample) {
      const across = sample % this.columns, down = Math.floor(sample / this.columns);
      return [across * (this.tile[0] + this.gap), down * (this.tile[1] + this.gap)];
    }

    count(near) {
      [this.worst.textContent, this.random.textContent] = this.model.counts[near];
    }

    // What a screen reader says of each sample.
    describe(kind, near) {
      const said = numbers(this.frames, kind, near);
      this.options().forEach((one, sample) => {
        const words = [`Sample ${sample + 1}`, kind, said.broken(sample) ? 'broken' : '', ...said.words(sample)];
        one.setAttribute('aria-label', words.filter(Boolean).join(', '));
        one.setAttribute('aria-selected', String(sample === this.stage.picked));
      });
    }

    markSamples(look, sample) {
      this.options().forEach((one, index) => one.classList.toggle(look, index === sample));
    }
  }

  // One sample large: its original, worst and random beside each other.
  class CloseUp {
    constructor(root) {
      this.root = root;
      this.title = made('div', 'title', root);
      const row = made('div', 'three', root);
      this.parts = KINDS.map((kind) => {
        const figure = made('figure', kind, row), picture = made('canvas', '', figure);
        const caption = made('figcaption', '', figure);
        return { kind, picture, name: made('b', '', caption), words: made('div', '', caption) };
      });
    }

    draw(pane, sample, place, kinds, fine) {
      const { frames } = pane, [, height, width] = frames.size;
      const side = CLOSE_UP * density(), size = [side, Math.round(side * height / width)];
      const left = (sample % frames.columns) * width, above = Math.floor(sample / frames.columns) * height;
      if (String(this.size) !== String(size)) {
        this.size = size;
        [this.ring, this.mark] = [ringed(...size), cornered(...size)];
        for (const { picture } of this.parts) [picture.width, picture.height] = size;
      }
      this.title.textContent = `Sample ${sample + 1} of ${pane.model.side}, ${pane.model.name}`;
      for (const { kind, picture, name, words } of this.parts) {
        const ink = enlarging(picture, fine), said = numbers(frames, kind, place.near);
        mixture(kind, place).forEach(([frame, weight], over) => {
          const [sheet, top] = cut(frames, kind, frame);
          ink.globalAlpha = over ? weight : 1;
          ink.drawImage(sheet, left, top + above, width, height, 0, 0, ...size);
        });
        ink.globalAlpha = 1;
        if (said.changed(sample)) ink.drawImage(this.mark, 0, 0);
        if (said.broken(sample)) ink.drawImage(this.ring, 0, 0);
        name.textContent = kinds[kind];
        words.textContent = said.words(sample).join('\n');
      }
    }

    // Beside the tile, over nothing of it: to the right where there is room, else to the left, else below.
    place(tile, stage) {
      const { offsetWidth: width, offsetHeight: height } = this.root;
      const [left, right, top] = [tile.left - stage.left, tile.right - stage.left, tile.top - stage.top];
      const room = stage.width - right - 10 >= width ? right + 10 : left - 10 - width;
      const beside = room >= 0;
      const high = Math.max(-stage.top + 8, Math.min(top, innerHeight - stage.top - height - 8));
      this.root.style.left = `${beside ? room : Math.max(0, Math.min(left, stage.width - width))}px`;
      this.root.style.top = `${beside ? high : tile.bottom - stage.top + 8}px`;
    }
  }

  class Stage {
    constructor(element) {
      this.root = made('div', 'stage coming', element);
      this.root.innerHTML = HTML;
      this.panes = [];
      this.given = {};
      this.reported = [];  // radii told and not yet heard of again
      this.near = -1;
      this.motion = null;
      this.close = new CloseUp(this.part('.close-up'));
      this.range = this.part('input');
      this.listen();
    }

    part(selector) {
      return this.root.querySelector(selector);
    }

    listen() {
      for (const kind of KINDS) {
        const button = made('button', kind, this.part('.kinds'));
        button.type = 'button';
        button.setAttribute('aria-keyshortcuts', LETTERS[kind]);
        button.addEventListener('click', () => this.choose(kind));
      }
      this.range.addEventListener('input', () => { this.stop(); this.move(Number(this.range.value)); });
      this.range.addEventListener('change', () => this.release());
      for (const end of ['pointerup', 'pointercancel']) {  // no change is told where the thumb is back where it was
        this.range.addEventListener(end, () => { if (this.held) this.release(); });
      }
      this.part('.play').addEventListener('click', () => (this.motion ? this.release() : this.play()));
      this.part('.png').addEventListener('click', () => this.keepPicture());
      this.part('.film').addEventListener('click', () => this.keepFilm());
      this.part('.film').hidden = !FILMS.some(([type]) => window.MediaRecorder && MediaRecorder.isTypeSupported(type));
      this.onKey = (event) => this.key(event);
      this.onDown = (event) => { if (!this.panes.some((pane) => pane.samples.contains(event.target))) this.enlarge(null); };
      this.watch = new ResizeObserver(() => { if (this.root.clientWidth !== this.width) this.fit(); });
    }

    // Take new data: all of it is shown at once, when its pictures are decoded.
    async update(data, callbacks) {
      this.callbacks = callbacks;
      this.latest = data;
      if (!this.awake) {
        this.awake = true;
        document.addEventListener('keydown', this.onKey);
        document.addEventListener('pointerdown', this.onDown);
        this.watch.observe(this.root);
      }
      this.root.classList.toggle('pale', Boolean(data.waiting) && Boolean(this.data));
      this.part('.waiting').textContent = data.waiting;
      const known = new Map(this.panes.map(({ frames }) => [frames.id, frames]));
      const frames = await Promise.all(data.models.map(({ frames: one }) => known.get(one.id) || developed(one)));
      if (this.latest === data) this.show(data, frames);
    }

    show(data, frames) {
      const first = !this.data;
      this.data = data;
      this.radii = frames[0].radii;
      while (this.panes.length > frames.length) this.panes.pop().root.remove();
      while (this.panes.length < frames.length) this.panes.push(new Pane(this, this.panes.length));
      const old = this.panes.map((pane) => pane.frames).filter((one) => one && !frames.includes(one));
      this.panes.forEach((pane, index) => pane.show(data.models[index], frames[index]));
      for (const one of old) Object.values(one.pictures).flat().forEach((picture) => picture.close());
      for (const kind of KINDS) this.part(`.kinds .${kind}`).textContent = data.kinds[kind];
      for (const [what, words] of Object.entries(data.legend)) {
        this.part(`.legend .${what} span`).textContent = words;
        this.part(`.legend .${what}`).hidden = !words;
      }
      this.part('.legend .names').textContent = data.models.map(({ side, name }) => `${side} ${name}`).join(', ');
      this.part('.legend .settings').textContent = data.settings;
      this.range.max = this.radii[this.radii.length - 1];
      const news = (name) => first || this.given[name] !== data[name];
      if (news('show')) this.kind = data.show;
      if (news('picked')) this.picked = data.picked;
      const echo = this.reported.indexOf(data.radius);  // what was told comes back late: the visitor may be elsewhere
      const moved = (news('radius') && echo < 0) || news('asked');
      this.reported.splice(0, moved ? Infinity : echo + 1);
      if (moved) this.radius = this.wish = data.radius;
      this.given = { show: data.show, picked: data.picked, radius: data.radius, asked: data.asked };
      this.radius = Math.min(this.radius, this.radii[this.radii.length - 1]);
      if (!this.motion && !this.held) this.radius = this.resting(this.wish);
      if (moved) this.told = this.radius;
      this.fit();
      this.root.classList.remove('coming');
      this.draw();
      this.settle(false);
      if (data.play && !this.played && !still()) this.play();
      this.played = this.played || data.play;
    }

    // Tiles as large as they can be; what is above and below them keeps its height.
    fit() {
      if (!this.data || !this.root.clientWidth) return;
      this.width = this.root.clientWidth;
      const stacked = this.panes.length === 2 && this.width < NARROW;
      this.root.classList.toggle('stacked', stacked);
      const across = stacked || this.panes.length === 1 ? this.width : (this.width - BETWEEN) / 2;
      this.reserve();
      const grids = this.panes.reduce((sum, pane) => sum + pane.grid.offsetHeight, 0);
      const others = this.root.offsetHeight - grids - this.part('.foot').offsetHeight;
      const more = parseFloat(getComputedStyle(this.root).getPropertyValue('--stage-below')) || 0;  // px above it
      const down = stacked ? Math.max(140, (innerHeight - others - ABOVE) / 2) : Math.max(480, innerHeight - 330) - more;
      for (const pane of this.panes) pane.fit(across, down);
      this.ask();
    }

    // Room for the longest sentence, so that none pushes the grids about.
    reserve() {
      const place = this.part('.sentence'), { textContent } = place;
      place.style.minHeight = '';
      place.textContent = this.data.sentences.reduce((longest, one) => (one.length > longest.length ? one : longest));
      place.style.minHeight = `${place.getBoundingClientRect().height}px`;
      place.textContent = textContent;
    }

    // Where a radius lies: between which frames, how far on the way, and which one is nearer.
    at(radius) {
      const last = this.radii.length - 1;
      let frame = 0;
      while (frame < last - 1 && this.radii[frame + 1] <= radius) frame += 1;
      const share = Math.min(1, Math.max(0, (radius - this.radii[frame]) / (this.radii[frame + 1] - this.radii[frame])));
      if (share > 1 - 1e-9) return { frame: frame + 1, share: 0, near: frame + 1 };
      return { frame, share: share < 1e-9 ? 0 : share, near: share < 0.5 ? frame : frame + 1 };
    }

    ask() {
      this.asked = this.asked || requestAnimationFrame((now) => {
        this.asked = 0;
        if (!this.awake) return;
        if (this.motion) this.step(now);
        this.draw();
        if (this.motion) this.ask();
      });
    }

    draw() {
      if (!this.width) return;
      const place = this.at(this.radius), fine = !this.motion && !this.held;
      for (const pane of this.panes) pane.draw(this.kind, place, fine);
      if (place.near !== this.near || this.counted !== this.data) {
        this.near = place.near;
        this.counted = this.data;
        this.part('.sentence').textContent = this.data.sentences[place.near];
        for (const pane of this.panes) pane.count(place.near);
      }
      this.range.value = this.radius;
      this.range.setAttribute('aria-valuetext', `ε ${this.data.labels[place.near]}`);
      this.part('output').textContent = place.share ? decimal(this.radius) : this.data.labels[place.near];
      for (const kind of KINDS) this.part(`.kinds .${kind}`).setAttribute('aria-pressed', String(kind === this.kind));
      const playing = Boolean(this.motion), button = this.part('.play');
      button.textContent = playing ? '❚❚' : '▶';
      button.setAttribute('aria-label', playing ? 'Pause' : 'Play ε from 0 to the end and back');
      if (this.large) this.close.draw(this.panes[this.large.pane], this.large.sample, place, this.data.kinds, fine);
      if (this.filming) this.filming();
    }

    move(radius) {
      this.held = true;
      this.radius = Math.min(Math.max(radius, 0), this.radii[this.radii.length - 1]);
      this.ask();
    }

    // What stands still is a frame, no mixture of two; but the first frames are few, and ε stays where it was meant to be.
    resting(radius) {
      const last = this.radii[this.radii.length - 1];
      return this.data.rough ? Math.min(radius, last) : this.radii[this.at(radius).near];
    }

    release() {
      this.stop();
      this.held = false;
      this.radius = this.wish = this.resting(this.radius);
      this.ask();
      this.settle(true);
    }

    settle(mine) {
      const near = this.at(this.radius).near;
      for (const pane of this.panes) {
        pane.describe(this.kind, near);
        pane.markSamples('picked', this.picked);
      }
      if (!mine) return;
      this.part('.announced').textContent = `ε ${this.data.labels[near]}, ${this.kind}. ${this.data.sentences[near]}`;
      const radius = Math.round(100 * this.radius) / 100;
      if (this.callbacks.released && this.told !== radius) {
        this.reported.push(radius);
        this.callbacks.released(radius);
      }
      this.told = radius;
    }

    // Play ε along [from, to, milliseconds] one after the other; whether nothing stopped it.
    go(ways) {
      this.stop();
      return new Promise((done) => {
        this.motion = { ways, done, since: null };
        this.ask();
      });
    }

    step(now) {
      const { motion } = this;
      if (motion.since === null) motion.since = now;
      let gone = now - motion.since;
      for (const [from, to, takes] of motion.ways) {
        if (gone < takes) {
          this.radius = from + (to - from) * gone / takes;
          return;
        }
        gone -= takes;
        this.radius = to;
      }
      this.motion = null;
      motion.done(true);
    }

    stop() {
      const { motion } = this;
      this.motion = null;
      if (motion) motion.done(false);
    }

    play() {
      const home = this.radius, end = this.radii[this.radii.length - 1];
      if (this.kind === 'original') this.kind = 'worst';
      return this.go([...thereAndBack(end), [0, home, home ? GLIDE : 0]]).then((whole) => { if (whole) this.settle(true); });
    }

    choose(kind) {
      this.kind = kind;
      this.draw();
      this.settle(true);
    }

    pick(sample) {
      this.picked = sample;
      this.settle(false);
      if (this.callbacks.picked) this.callbacks.picked(sample);
    }

    // Show a sample large, or none; its twin in the other grid is marked with it.
    enlarge(pane, sample = -1) {
      this.large = pane === null ? null : { pane, sample };
      for (const one of this.panes) one.markSamples('pointed', sample);
      this.close.root.hidden = !this.large;
      if (!this.large) return;
      for (const option of this.root.querySelectorAll('[role=option]')) option.tabIndex = -1;
      for (const one of this.panes) one.options()[sample].tabIndex = 0;
      this.draw();
      this.close.place(this.panes[pane].options()[sample].getBoundingClientRect(), this.root.getBoundingClientRect());
    }

    // Keys are the stage's where it has the focus, or nothing has and it is in sight.
    key(event) {
      const target = event.composedPath()[0], inside = this.root.contains(target);
      if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
      if (!inside && (target !== document.body || !this.inSight())) return;
      const kind = KINDS.find((one) => LETTERS[one] === event.key);
      if (kind) this.choose(kind);
      else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') this.frameBy(event.key === 'ArrowLeft' ? -1 : 1);
      else if (event.key === ' ' && !(target.matches('button') && !target.closest('.kinds'))) {
        this.choose(this.kind === 'original' ? 'worst' : 'original');
      } else if (event.key === 'Escape' && this.large) this.enlarge(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    frameBy(step) {
      const next = this.at(this.radius).near + step;
      this.stop();
      this.move(this.radii[Math.min(Math.max(next, 0), this.radii.length - 1)]);
      this.release();
    }

    inSight() {
      const { top, bottom, height } = this.root.getBoundingClientRect();
      return height > 0 && bottom > 0 && top < innerHeight;
    }

    // What is shown, with its words, on one canvas: the given one, or one that fits.
    composed(given) {
      const dense = this.panes[0].dense, stacked = this.root.classList.contains('stacked');
      const style = getComputedStyle(this.root), font = style.fontFamily, pad = 24, head = 66;
      const sizes = this.panes.map((pane) => [pane.canvas.width / dense, pane.canvas.height / dense]);
      const widths = sizes.map(([width]) => width), heights = sizes.map(([, height]) => height);
      const across = widths.reduce((sum, width) => sum + width + BETWEEN, -BETWEEN);
      const inner = Math.max(420, stacked ? Math.max(...widths) : across), said = (inner < 700 ? 4 : 2) * 30;
      const tall = stacked ? heights.reduce((sum, height) => sum + height + head, 0) : Math.max(...heights) + head;
      const even = (value) => 2 * Math.round(value / 2);  // as films must be
      const target = given || canvas(even((inner + 2 * pad) * dense), even((said + tall + 3 * pad + 22) * dense));
      const ink = target.getContext('2d');
      ink.setTransform(dense, 0, 0, dense, 0, 0);
      ink.fillStyle = this.ground();
      ink.fillRect(0, 0, target.width, target.height);
      const write = (text, x, y, size, weight = 400, colour = style.color) => {
        ink.font = `${weight} ${size}px ${font}`;
        ink.fillStyle = colour;
        ink.fillText(text, x, y);
        return ink.measureText(text).width;
      };
      ink.font = `600 22px ${font}`;
      const lines = wrapped(ink, this.data.sentences[this.near], inner);
      lines.forEach((line, row) => write(line, pad, pad + 22 + row * 30, 22, 600));
      let [x, y] = [pad, pad + said];
      this.panes.forEach((pane, index) => {
        ink.fillStyle = pane.model.colour;
        ink.fillRect(x, y + 2, 28, 26);
        write(pane.model.side, x + 7, y + 22, 19, 700, '#fff');
        write(pane.model.name, x + 38, y + 22, 17, 600);
        const wide = write(pane.worst.textContent, x, y + 52, 19, 700);
        write(pane.random.textContent, x + wide + 14, y + 52, 16);
        ink.drawImage(pane.canvas, x, y + head, ...sizes[index]);
        if (stacked) y += head + heights[index];
        else x += widths[index] + BETWEEN;
      });
      const at = `${this.data.kinds[this.kind]}, ε ${this.part('output').textContent}, ${this.data.settings}`;
      write([at, this.data.legend.broken].filter(Boolean).join('  ·  ○ '), pad, target.height / dense - pad, 15);
      return target;
    }

    // The colour behind the stage.
    ground() {
      for (let one = this.root; one; one = one.parentElement) {
        const { backgroundColor } = getComputedStyle(one);
        if (!/transparent|rgba\(0, 0, 0, 0\)/.test(backgroundColor)) return backgroundColor;
      }
      return '#fff';
    }

    keepPicture() {
      const name = `${this.data.file}-eps${this.data.labels[this.near]}-${this.kind}.png`;
      this.composed().toBlob((blob) => keep(blob, name));
    }

    async keepFilm() {
      const [type, ending] = FILMS.find(([one]) => MediaRecorder.isTypeSupported(one));
      const button = this.part('.film'), home = this.radius, end = this.radii[this.radii.length - 1];
      if (this.kind === 'original') this.choose('worst');
      this.stop();
      button.disabled = true;
      button.textContent = 'Filming …';
      this.draw();
      const sheet = this.composed(), parts = [];
      const recorder = new MediaRecorder(sheet.captureStream(30), { mimeType: type, videoBitsPerSecond: 8e6 });
      const name = `${this.data.file}-eps0-${this.data.labels.at(-1)}-${this.kind}.${ending}`;
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = () => keep(new Blob(parts, { type }), name);
      recorder.start();
      this.filming = () => this.composed(sheet);
      await this.go(thereAndBack(end));
      this.filming = null;
      recorder.stop();
      button.disabled = false;
      button.textContent = 'Film';
      this.radius = home;
      this.draw();
    }

    // Gone from the page, or between two runs of it.
    rest() {
      this.awake = false;
      document.removeEventListener('keydown', this.onKey);
      document.removeEventListener('pointerdown', this.onDown);
      this.watch.disconnect();
    }
  }

  const thereAndBack = (end) => [[0, 0, PAUSE], [0, end, RISE], [end, end, REST], [end, 0, FALL], [0, 0, PAUSE]];

  // Lines of text no wider than so many pixels in the canvas's font.
  function wrapped(ink, text, width) {
    const lines = [''];
    for (const word of text.split(' ')) {
      const longer = `${lines[lines.length - 1]} ${word}`.trim();
      if (ink.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  function keep(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  return function mount(element, data, callbacks = {}) {
    if (!element.stage) {
      element.replaceChildren();
      element.stage = new Stage(element);
    }
    const { stage } = element;
    stage.ready = stage.update(data, callbacks);
    return () => stage.rest();
  };
})();
