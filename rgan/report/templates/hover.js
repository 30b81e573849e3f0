// Shows the image of a point beside the pointer. `chart` is a plotly graph whose points carry customdata [name, index];
// `sheet` is {uri, width, height, columns, scale} of one picture with every image as a tile.
function showImages(chart, sheet) {
  let box = document.getElementById('rgan-hover');
  if (!box) {
    box = document.createElement('div');
    box.id = 'rgan-hover';
    box.style.cssText = 'position:fixed;pointer-events:none;z-index:100000;display:none;background:#fff;color:#15202b;' +
      'border:1px solid #8a94a6;border-radius:6px;padding:6px;font:14px sans-serif;box-shadow:0 2px 10px rgba(0,0,0,.3)';
    box.innerHTML = '<div></div><span></span>';
    document.body.appendChild(box);
  }
  const [image, name] = box.children;
  let x = 0, y = 0;  // in space Plotly does not say where the pointer is
  chart.addEventListener('mousemove', event => { x = event.clientX; y = event.clientY; }, true);
  chart.on('plotly_hover', event => {
    const point = event.points.find(one => one.customdata);
    if (!point) return;
    const [words, index] = point.customdata;
    const across = sheet.width * sheet.scale, down = sheet.height * sheet.scale;
    const column = index % sheet.columns, row = Math.floor(index / sheet.columns);
    image.style.cssText = `width:${across}px;height:${down}px;image-rendering:pixelated;` +
      `background-image:url(${sheet.uri});background-size:${across * sheet.columns}px auto;` +
      `background-position:-${column * across}px -${row * down}px`;
    name.textContent = words;
    box.style.display = 'block';
    box.style.left = `${x + 18 + box.offsetWidth > innerWidth ? x - 18 - box.offsetWidth : x + 18}px`;
    box.style.top = `${y + 18 + box.offsetHeight > innerHeight ? y - 18 - box.offsetHeight : y + 18}px`;
  });
  chart.on('plotly_unhover', () => { box.style.display = 'none'; });
}
