// Choosing needs no run; the server is told what was picked.
const WORTH_FINDING = 8;  // models, from which on there is a field to find one

function made(kind, look, words) {
  const one = document.createElement(kind);
  if (look) one.className = look;
  if (words) one.textContent = words;
  return one;
}

// The sheet that a model draws, its name, and two lines about it.
function fill(place, tile) {
  const sheet = made('span', 'sheet');
  if (tile.picture) {
    const picture = made('img');
    picture.src = tile.picture;
    picture.alt = '';
    sheet.append(picture);
  } else sheet.append(made('span', 'lacking', tile.picture === null ? 'being drawn …' : '?'));
  const text = made('span', 'text');
  const lines = made('span', 'lines');
  lines.append(...tile.lines.filter(Boolean).map((line) => made('span', 'line', line)));
  text.append(made('span', 'name', tile.name), lines);
  text.firstChild.title = tile.name;
  place.replaceChildren(sheet, text);
}

class Tiles {
  constructor(root) {
    this.root = root;
    this.dialog = root.querySelector('dialog');
    this.opener = root.querySelector('.opener');
    this.list = root.querySelector('.pairs');
    this.find = root.querySelector('input');
    this.opener.addEventListener('click', () => this.open());
    root.querySelector('.close').addEventListener('click', () => this.dialog.close());
    this.find.addEventListener('input', () => this.filter());
    this.dialog.addEventListener('click', (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.dialog.addEventListener('keydown', (event) => this.press(event));
    this.list.addEventListener('click', (event) => {
      const option = event.target.closest('[role=option]');
      if (option) this.pick(option.dataset.name);
    });
  }

  update(data, tell) {
    this.tell = tell;
    const same = this.sent === JSON.stringify(data);
    this.sent = JSON.stringify(data);
    if (same) return;
    this.data = data;
    this.tiles = new Map([...data.gone, ...data.pairs.flat()].map((tile) => [tile.name, tile]));
    const label = this.root.querySelector('.label');
    label.textContent = data.label;
    label.title = data.hint;
    this.dialog.querySelector('h2').textContent = data.label;
    this.dialog.setAttribute('aria-label', data.label);
    this.list.setAttribute('aria-label', data.label);
    this.find.setAttribute('aria-label', `Find a model for ${data.label}`);
    this.find.hidden = data.pairs.flat().length < WORTH_FINDING;
    this.show(data.value);
    const focused = document.activeElement?.dataset?.name;
    this.list.replaceChildren(...data.pairs.map((pair) => {
      const row = made('div', 'pair');
      row.setAttribute('role', 'group');
      row.setAttribute('aria-label', pair.length > 1 ? `${pair[0].name} and its twin` : pair[0].name);
      row.append(...pair.map((tile) => {
        const option = made('div', 'tile');
        option.setAttribute('role', 'option');
        option.setAttribute('aria-label', [tile.name, ...tile.lines].filter(Boolean).join(', '));
        option.dataset.name = tile.name;
        fill(option, tile);
        return option;
      }));
      return row;
    }));
    this.mark(data.value);
    this.filter();
    if (this.dialog.open && focused) this.option(focused)?.focus();
  }

  show(name) {
    const tile = this.tiles.get(name);
    fill(this.opener, tile);
    this.opener.setAttribute('aria-label', `${this.data.label}: ${[tile.name, ...tile.lines].filter(Boolean).join(', ')}`);
  }

  mark(name) {
    const known = this.option(name);
    this.options().forEach((one, index) => {
      one.setAttribute('aria-selected', String(one === known));
      one.tabIndex = one === known || (!known && index === 0) ? 0 : -1;
    });
  }

  options() { return [...this.list.querySelectorAll('[role=option]')]; }

  seen() { return this.options().filter((one) => !one.parentElement.hidden); }

  option(name) { return this.options().find((one) => one.dataset.name === name); }

  open() {
    this.find.value = '';
    this.filter();
    this.dialog.showModal();
    const chosen = this.list.querySelector('[aria-selected=true]') || this.seen()[0];
    chosen?.scrollIntoView({ block: 'center' });
    chosen?.focus();
  }

  // Pairs stay together: a twin is worth seeing beside what was looked for.
  filter() {
    const wanted = this.find.value.trim().toLowerCase();
    for (const pair of this.list.children) pair.hidden = !pair.textContent.toLowerCase().includes(wanted);
    this.root.querySelector('.none').hidden = this.seen().length > 0;
  }

  press(event) {
    event.stopPropagation();  // a screen's own keys are not meant
    const all = this.seen(), at = all.indexOf(event.target);
    if (event.target === this.find) {
      if (event.key === 'ArrowDown' || event.key === 'Enter') { event.preventDefault(); all[0]?.focus(); }
      return;
    }
    if (at < 0) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.pick(event.target.dataset.name);
      return;
    }
    const to = {
      ArrowRight: () => all[at + 1], ArrowLeft: () => all[at - 1], Home: () => all[0], End: () => all[all.length - 1],
      ArrowDown: () => this.beyond(all, at, 1), ArrowUp: () => this.beyond(all, at, -1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = to();
    if (!next) return;
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }

  // The tile below or above: the nearest of the next line.
  beyond(all, at, way) {
    const box = (one) => one.getBoundingClientRect(), here = box(all[at]);
    const lines = all.filter((one) => (box(one).top - here.top) * way > here.height / 2);
    const near = Math.min(...lines.map((one) => Math.abs(box(one).top - here.top)));
    return lines.filter((one) => Math.abs(Math.abs(box(one).top - here.top) - near) < 4)
      .sort((one, other) => Math.abs(box(one).left - here.left) - Math.abs(box(other).left - here.left))[0];
  }

  pick(name) {
    this.dialog.close();
    this.opener.focus();
    if (name === this.data.value) return;
    this.data.value = name;
    this.show(name);
    this.mark(name);
    this.tell(name);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.model-tiles');
  root.tiles = root.tiles || new Tiles(root);
  root.tiles.update(data, (name) => setTriggerValue('pick', name));
}
