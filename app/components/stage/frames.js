// Frames travel by themselves: Streamlit sends an element again when anything in it changes, and words change often.
// data: bytes, as rgan.robustness.encoding.packed made them.
function unpacked(bytes) {
  const start = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const frames = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  let at = start;
  const sheet = (length) => new Blob([bytes.subarray(at, (at += length))], { type: 'image/webp' });
  for (const kind of Object.keys(frames.sheets)) frames.sheets[kind] = frames.sheets[kind].map(sheet);
  return frames;
}

export default function ({ data }) {
  const carried = (window.stageFrames = window.stageFrames || new Map()), frames = unpacked(data);
  carried.set(frames.id, frames);
  document.dispatchEvent(new Event('stage-frames'));
  return () => { if (carried.get(frames.id) === frames) carried.delete(frames.id); };
}
