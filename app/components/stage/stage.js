// The stage itself is rgan/report/templates/stage.js, which stands before this; its `mount` knows nothing of Streamlit.
// Frames come by frames.js, before or after this.
function arriving(slot, id) {
  return new Promise((done) => {
    const look = () => {
      const frames = window.stageFrames && window.stageFrames.get(slot);
      if (!frames || frames.id !== id) return;
      document.removeEventListener('stage-frames', look);
      done(frames);
    };
    document.addEventListener('stage-frames', look);
    look();
  });
}

export default function ({ data, parentElement, setStateValue }) {
  const reports = {
    picked: (sample) => setStateValue('picked', sample),
    released: (radius) => setStateValue('radius', radius),
  };
  const wanted = Object.fromEntries(data.reports.map((name) => [name, reports[name]]));
  const models = data.stage.models.map((model, index) => {
    const { id } = model.frames;
    return { ...model, frames: { id, arrives: () => arriving(data.slots[index], id) } };
  });
  return mount(parentElement.querySelector('.stage-place'), { ...data.stage, models }, wanted);
}
