import { writeFileSync } from "node:fs";
import type { Growth } from "./line.ts";
import { inWorkspace } from "./paths.ts";
import { amount } from "./tables.ts";

const [WIDTH, HEIGHT] = [760, 380];
/** Room for `10,000 ms` on the left, and for the longest name of a line on the right. */
const FRAME = { left: 82, right: 240, top: 44, bottom: 46 };
const DOT_RADIUS = 3;

type Series = Growth["series"][number];

/** Writes a plot of each into `docs/`: both axes logarithmic, readable on white and on black. */
export function drawGrowth(plots: readonly Growth[]): void {
  for (const plot of plots) writeFileSync(inWorkspace("docs", `bench-${plot.name}.svg`), svgOf(plot));
}

/** Ours in one hue, told apart by shade and dashes; what it is compared with in greys. Both schemes are in the file. */
const STYLE = `<style>
  svg { background: #fff; font: 12px system-ui, sans-serif }
  text { fill: #24292f } .title { font-size: 15px; font-weight: 600 } .grid { stroke: #d0d7de } .tick { fill: #57606a }
  polyline { fill: none; stroke-width: 2.2 } circle { stroke-width: 2; fill: #fff }
  .ours0 { stroke: #0550ae } .ours1 { stroke: #0969da } .ours2 { stroke: #218bff }
  .base0 { stroke: #57606a } .base1 { stroke: #8c959f } .base2 { stroke: #8c959f }
  polyline.ours1, polyline.base1 { stroke-dasharray: 7 3 } polyline.ours2, polyline.base2 { stroke-dasharray: 2 3 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 } circle { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .tick { fill: #9198a1 }
    .ours0 { stroke: #79c0ff } .ours1 { stroke: #58a6ff } .ours2 { stroke: #388bfd }
    .base0 { stroke: #b1bac4 } .base1 { stroke: #8b949e } .base2 { stroke: #8b949e }
  }
</style>`;

function svgOf({ title, unit, keys, series }: Growth): string {
  const values = series.flatMap((line) => line.values).filter((value) => value !== null && value > 0) as number[];
  const x = scale(keys, FRAME.left, WIDTH - FRAME.right);
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const y = scale([low, high], HEIGHT - FRAME.bottom, FRAME.top);
  const powers = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text class="title" x="${FRAME.left}" y="24">${escaped(title)}</text>`,
    ...powers.map((power) => row(y(power), amount(power, unit))),
    ...keys.map((count) => column(x(count), count)),
    `<text class="tick" x="${(FRAME.left + WIDTH - FRAME.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">keys</text>`,
    ...lines(series, keys, x, y),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

/** A logarithmic scale from the numbers' range to those places. */
function scale(numbers: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...numbers)), Math.log(Math.max(...numbers))];
  return (value) => Math.round((from + ((Math.log(value) - low) / (high - low || 1)) * (to - from)) * 10) / 10;
}

function row(y: number, label: string): string {
  return `<line class="grid" x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${y}" y2="${y}"/><text class="tick" x="${FRAME.left - 8}" y="${y + 4}" text-anchor="end">${label}</text>`;
}

function column(x: number, keys: number): string {
  return `<text class="tick" x="${x}" y="${HEIGHT - FRAME.bottom + 18}" text-anchor="middle">${keys.toLocaleString("en")}</text>`;
}

/** The lines, and their names at their ends, far enough from each other to be read. */
function lines(
  series: readonly Series[],
  keys: readonly number[],
  x: (value: number) => number,
  y: (value: number) => number,
): string[] {
  const count = { ours: 0, base: 0 };
  const drawn = series.map((line) => {
    const kind = line.ours ? "ours" : "base";
    const points = keys.flatMap((key, i) => {
      const value = line.values[i];
      return typeof value === "number" && value > 0 ? [`${x(key)},${y(value)}`] : [];
    });
    const last = Number(points.at(-1)?.split(",")[1] ?? FRAME.top);
    return { name: line.name, style: `${kind}${count[kind]++}`, points, last };
  });
  const labels = [...drawn].sort((a, b) => a.last - b.last);
  let free = FRAME.top;
  const names = labels.map(({ name, style, last }) => {
    const at = Math.max(last, free);
    free = at + 17;
    const left = WIDTH - FRAME.right + 8;
    return `<polyline class="${style}" points="${left},${at} ${left + 18},${at}"/><text x="${left + 24}" y="${at + 4}">${escaped(name)}</text>`;
  });
  return [...drawn.flatMap(({ style, points }) => curve(style, points)), ...names];
}

/** A line with a dot where something was measured: between the dots nothing was. */
function curve(style: string, points: readonly string[]): string[] {
  const dots = points.map((point) => {
    const [x, y] = point.split(",");
    return `<circle class="${style}" cx="${x}" cy="${y}" r="${DOT_RADIUS}"/>`;
  });
  return [`<polyline class="${style}" points="${points.join(" ")}"/>`, ...dots];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
