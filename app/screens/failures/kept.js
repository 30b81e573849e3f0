// Keeps the list in this browser, and tells the server once what an earlier visit has left there.
const PLACE = 'rgan-lab:kept-failures';

export default function ({ data, setTriggerValue }) {
  try {
    const before = localStorage.getItem(PLACE);
    if (before && !data.heard) setTriggerValue('kept', before);
    else if (before || data.count) localStorage.setItem(PLACE, data.kept);
  } catch { /* a browser that keeps nothing: the list lasts as long as the page */ }
}
