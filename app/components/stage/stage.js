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

export default function ({ data, parentElement, setStateValue }) {
  const wanted = {};
  if (data.picks) wanted.picked = (sample) => setStateValue('picked', sample);
  if (data.parameter) wanted.released = (radius) => written(data.parameter, radius);
  const models = data.stage.models.map((model) => {
    const { id } = model.frames;
    return { ...model, frames: { id, arrives: () => arriving(id) } };
  });
  return mount(parentElement.querySelector('.stage-place'), { ...data.stage, models }, wanted);
}
