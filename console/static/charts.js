// Draws the charts that a page describes in data-chart; the same figures stand in its table.
"use strict";

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function axes(names, share) {
  const line = { lineStyle: { color: colour("--edge") } };
  const text = { color: colour("--quiet") };
  return {
    xAxis: { type: "category", data: names, axisLine: line, axisLabel: { ...text, hideOverlap: true, width: 120, overflow: "truncate" } },
    yAxis: { type: "value", min: 0, axisLabel: { ...text, formatter: share ? (y) => `${+(100 * y).toPrecision(3)} %` : undefined }, splitLine: line },
  };
}

function pareto(points) {
  const base = axes(points.map((p) => p.label), false);
  const right = { ...axes([], true).yAxis, max: 1, splitLine: { show: false } };
  return {
    xAxis: base.xAxis, yAxis: [base.yAxis, right],
    series: [
      { type: "bar", data: points.map((p) => p.value), itemStyle: { color: colour("--accent") } },
      { type: "line", yAxisIndex: 1, data: points.map((p) => p.running), itemStyle: { color: colour("--open") } },
    ],
  };
}

function interval(points) {
  return {
    type: "custom", silent: true, data: points.map((p, at) => [at, p.low, p.high]),
    renderItem(params, api) {
      if (Number.isNaN(api.value(1)) || api.value(1) === null) return null;
      const [x, low] = api.coord([api.value(0), api.value(1)]);
      const high = api.coord([api.value(0), api.value(2)])[1];
      const style = { stroke: colour("--quiet"), lineWidth: 1.5 };
      return { type: "group", children: [
        { type: "line", shape: { x1: x, y1: low, x2: x, y2: high }, style },
        { type: "line", shape: { x1: x - 4, y1: low, x2: x + 4, y2: low }, style },
        { type: "line", shape: { x1: x - 4, y1: high, x2: x + 4, y2: high }, style },
      ] };
    },
  };
}

function rates(points) {
  return {
    ...axes(points.map((p) => p.label), true),
    series: [
      { type: "scatter", symbolSize: 10, data: points.map((p) => p.value), itemStyle: { color: colour("--accent") } },
      interval(points),
    ],
  };
}

function control(points, share) {
  const step = (name, tone) => ({ type: "line", step: "middle", symbol: "none", data: points.map((p) => p[name]), lineStyle: { color: tone, width: 1.5, type: name === "centre" ? "solid" : "dashed" } });
  return {
    ...axes(points.map((p) => p.label), share),
    series: [
      step("lower", colour("--bad")), step("centre", colour("--quiet")), step("upper", colour("--bad")),
      { type: "line", data: points.map((p) => ({
        value: p.value,
        symbol: p.signal ? "diamond" : p.provisional ? "emptyCircle" : "circle",
        symbolSize: p.signal ? 15 : 8,
        itemStyle: { color: p.signal ? colour("--bad") : colour("--accent") },
      })), lineStyle: { color: colour("--accent"), width: 1 }, showSymbol: true, showAllSymbol: true },
    ],
  };
}

function text(point, share) {
  const shown = (value) => value === null || value === undefined ? "–" : share ? `${+(100 * value).toPrecision(4)} %` : String(value);
  return `${point.label}: ${shown(point.value)}`;
}

function draw(place) {
  const { kind, share, begin, columns } = JSON.parse(place.dataset.chart);
  const points = columns.address.map((rest, at) => ({ ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[at]])), address: rest || begin ? begin + rest : "" }));
  const old = echarts.getInstanceByDom(place);
  if (old) old.dispose();
  const chart = echarts.init(place, null, { renderer: "svg" });
  const kinds = { pareto, rates, control };
  chart.setOption({
    animation: false, aria: { enabled: true }, grid: { left: 8, right: 8, top: 24, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText", formatter: (at) => at.length ? text(points[at[0].dataIndex], share && kind !== "pareto") : "" },
    ...kinds[kind](points, share),
  });
  chart.on("click", (at) => { const address = points[at.dataIndex]?.address; if (address) location.href = address; });
}

function drawAll() { document.querySelectorAll("[data-chart]").forEach(draw); }

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("linewatch:theme", drawAll);
addEventListener("resize", () => document.querySelectorAll("[data-chart]").forEach((place) => echarts.getInstanceByDom(place)?.resize()));
