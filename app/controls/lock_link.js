// Only the browser knows the whole address at any moment: what a control writes into it does not come to the server.
export default function ({ data, parentElement }) {
  const part = name => parentElement.querySelector('.lock-link ' + name);
  const address = () => {
    const url = new URL(window.location.href);
    url.searchParams.delete('lock');
    if (data.lock) {
      url.searchParams.delete('tour');
      url.searchParams.set('lock', data.lock);
    }
    return url.href.replaceAll('%2C', ',');
  };
  part('input').hidden = part('button').hidden = !data.lock;
  part('a').hidden = Boolean(data.lock);
  part('input').value = address();
  part('input').onfocus = () => { part('input').value = address(); part('input').select(); };
  part('button').onclick = async () => {
    part('input').focus();
    part('input').select();
    try { await navigator.clipboard.writeText(part('input').value); } catch { document.execCommand('copy'); }
    part('button').textContent = 'Copied';
  };
  part('a').textContent = 'Show all controls';
  part('a').href = address();
  part('a').onclick = event => { event.preventDefault(); window.location.assign(address()); };
}
