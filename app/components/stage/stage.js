// The stage itself is rgan/report/templates/stage.js, which stands before this; its `mount` knows nothing of Streamlit.
export default function ({ data, parentElement, setStateValue }) {
  const reports = {
    picked: (sample) => setStateValue('picked', sample),
    released: (radius) => setStateValue('radius', radius),
  };
  const wanted = Object.fromEntries(data.reports.map((name) => [name, reports[name]]));
  return mount(parentElement.querySelector('.stage-place'), data.stage, wanted);
}
