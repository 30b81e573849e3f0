// Paper is narrower than a screen: with a view box, charts shrink to it as they were drawn.
addEventListener('load', () => {
  for (const chart of document.querySelectorAll('.js-plotly-plot')) {
    const fit = () => {
      for (const svg of chart.querySelectorAll('.main-svg')) {
        const [width, height] = [svg.getAttribute('width'), svg.getAttribute('height')];
        svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
        chart.style.setProperty('--ratio', width / height);
      }
    };
    fit();
    chart.on('plotly_afterplot', fit);
  }
});
