import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Point } from "../model/select.ts";
import { countOrDash, countText, dayShort, durationText, hourText, timeText } from "../model/words.ts";

const HEIGHT_PX = 240;
const SERIES = [
  { key: "sent", title: "Sent", colour: "--accent" },
  { key: "received", title: "Received", colour: "--second" },
  { key: "failed", title: "Failed", colour: "--bad" },
] as const;

/** What was counted period by period, as lines; and as a table for whoever cannot see them, or wants the numbers. */
export function Chart({ points, title }: { readonly points: readonly Point[]; readonly title: string }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = SERIES.filter(({ key }) => points.some((point) => point[key] !== null));
  const columns = dataOf(points, shown);
  const latest = useRef(columns);
  latest.current = columns;
  const kinds = shown.map(({ key }) => key).join();
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, shown), latest.current, element);
    };
    draw();
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resize.observe(element);
    // What is drawn does not change its colours by itself; paper is light.
    const looks = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
    for (const look of looks) look.addEventListener("change", draw);
    return () => {
      for (const look of looks) look.removeEventListener("change", draw);
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [kinds]);
  useEffect(() => {
    plot.current?.setData(columns);
  });
  return (
    <figure class="chart">
      <div ref={holder} role="img" aria-label={`${title}: ${summary(points, shown)}`} />
      <figcaption>
        {shown.map(({ key, title }) => (
          <span key={key} class={`key ${key}`}>
            {title}
          </span>
        ))}
        {points[0] && <span class="quiet">each point: what was counted in {durationText(points[0].stepMs)}</span>}
      </figcaption>
      <details>
        <summary>The same as a table</summary>
        <PointTable points={points} shown={shown} />
      </details>
    </figure>
  );
}

type Shown = readonly (typeof SERIES)[number][];

function PointTable({ points, shown }: { readonly points: readonly Point[]; readonly shown: Shown }) {
  const rows = points.filter((point) => shown.some(({ key }) => (point[key] ?? 0) > 0));
  if (rows.length === 0) return <p>Nothing was counted in this range.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">From</th>
          {shown.map(({ key, title }) => (
            <th key={key} scope="col" class="number">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((point) => (
          <tr key={point.start}>
            <th scope="row">{timeText(new Date(point.start))}</th>
            {shown.map(({ key }) => (
              <td key={key} class="number">
                {countOrDash(point[key])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function summary(points: readonly Point[], shown: Shown): string {
  const total = (key: (typeof SERIES)[number]["key"]) => points.reduce((sum, point) => sum + (point[key] ?? 0), 0);
  return shown.map(({ key, title }) => `${title.toLowerCase()} ${countText(total(key))}`).join(", ");
}

function dataOf(points: readonly Point[], shown: Shown): uPlot.AlignedData {
  return [points.map(({ start }) => start / 1000), ...shown.map(({ key }) => points.map((point) => point[key]))];
}

const DAY_S = 86_400;

/** A day, or within a day its hour; midnight says which day begins. */
function periodText(start: number, step: number): string {
  const date = new Date(start * 1000);
  return step >= DAY_S || hourText(date) === "00:00" ? dayShort(date) : hourText(date);
}

function optionsOf(element: HTMLElement, shown: Shown): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const letter = Number.parseFloat(style.fontSize) * 0.75;
  const axis = {
    stroke: colour("--quiet"),
    font: `${letter}px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // By itself it would show years around a single point.
      x: { range: (_, first, last) => (first < last ? [first, last] : [first - DAY_S / 2, first + DAY_S / 2]) },
      y: { range: (_, __, top) => [0, Math.max(1, top * 1.05)] },
    },
    axes: [
      {
        ...axis,
        size: 2.3 * letter,
        values: (_, starts, __, ___, step) => starts.map((start) => periodText(start, step)),
      },
      {
        ...axis,
        size: 5.3 * letter,
        values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? countText(tick) : "")),
      },
    ],
    series: [
      {},
      ...shown.map(({ title, colour: name }) => ({
        label: title,
        stroke: colour(name),
        width: 2,
        points: { size: 5, fill: colour(name) },
      })),
    ],
  };
}
