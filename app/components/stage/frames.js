// Frames travel by themselves: Streamlit sends an element again when anything in it changes, and words change often.
export default function ({ data }) {
  const carried = (window.stageFrames = window.stageFrames || new Map());
  carried.set(data.slot, data.frames);
  document.dispatchEvent(new Event('stage-frames'));
  return () => { if (carried.get(data.slot) === data.frames) carried.delete(data.slot); };
}
