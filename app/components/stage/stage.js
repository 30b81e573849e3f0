// The stage itself is rgan/report/templates/stage.js, which stands before this; its `mount` knows nothing of Streamlit.
// Frames come by frames.js, before or after this.
function arriving(id) {
  return new Promise((done) => {
    const look = () => {
      const frames = window.stageFrames && window.stageFrames.get(id);
      if (!frames) return;
      document.removeEventListener('stage-frames', look);
      done(frames);
    };
    document.addEventListener('stage-frames', look);
    look();
  });
}

// ε in the address costs no run: the next one, whatever asks for it, reads it there. It is no step of the history.
function written(name, radius) {
  const address = new URL(window.location.href);
  address.searchParams.set(name, String(radius));
  History.prototype.replaceState.call(window.history, window.history.state, '', address);
}

// Links to other screens drop what the address says, so ε is told first where somebody leaves by one, and the link is
// followed once that has been heard: a busy server would take both for one, and the screen that told it is gone.
const LONGEST = 8000;  // ms
function leaving(place, tell) {
  const begun = place.tell !== undefined;
  place.tell = tell;
  if (begun) return;
  let next = null;
  const follow = (heard, since) => {
    if (place.isConnected && place.heard === heard && performance.now() - since < LONGEST)
      return void setTimeout(() => follow(heard, since), 20);
    const link = next;
    next = null;
    (link.isConnected ? link : [...document.links].find((one) => one.href === link.href))?.click();
  };
  const left = (event) => {
    const link = event.target.closest?.('a[href]');
    if (!place.isConnected) document.removeEventListener('click', left, true);
    else if (link && !event.defaultPrevented && !(event.ctrlKey || event.metaKey || event.shiftKey)
      && (next || place.tell())) {
      event.preventDefault();
      event.stopPropagation();
      if (!next) setTimeout(follow, 20, place.heard, performance.now());
      next = link;
    }
  };
  document.addEventListener('click', left, true);
}

// The mark of the settings knows the value that was shared.
function marked(name, radius) {
  const mark = document.querySelector(`.shared[data-${name}]`);
  if (mark) mark.classList.toggle('changed', mark.dataset.others === 'true' || Number(mark.dataset[name]) !== radius);
}

// Triggers, no state: a busy server drops the state of a screen that is left before it came to it.
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector('.stage-place');
  const wanted = {};
  place.heard = data.heard;
  if (data.picks) wanted.picked = (sample) => setTriggerValue('picked', sample);
  if (data.parameter) {
    leaving(place, () => {
      const { released } = place;
      place.released = undefined;
      if (released !== undefined) setTriggerValue('radius', released);
      return released !== undefined;
    });
    wanted.released = (radius) => {
      place.released = radius;
      written(data.parameter, radius);
      marked(data.parameter, radius);
    };
  }
  const stage = JSON.parse(data.stage);
  const models = stage.models.map((model) => {
    const { id } = model.frames;
    return { ...model, frames: { id, arrives: () => arriving(id) } };
  });
  return mount(place, { ...stage, models }, wanted);
}
