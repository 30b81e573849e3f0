// A chart may be drawn anew at any run, so whether its handlers are there is looked at again and again.
export default function ({ data, parentElement }) {
  const attach = () => {
    const chart = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (!chart || !chart.on || chart.dataset.hover === data.chart) return;
    chart.dataset.hover = data.chart;
    showImages(chart, data.sheet);
  };
  clearInterval(parentElement._attach);
  parentElement._attach = setInterval(attach, 300);
  return () => clearInterval(parentElement._attach);
}
