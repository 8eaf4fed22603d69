/** Eight heights; nothing counted is a dot, so that it is not taken for little. */
const BARS = "▁▂▃▄▅▆▇█";
const NONE = "·";

/** A bar for each value, in at most `width` cells: where there are more values, neighbours are added up. */
export function sparkline(values: readonly number[], width: number): string {
  const bars = grouped(values, width);
  const most = Math.max(...bars, 0);
  return bars.map((value) => (value === 0 ? NONE : BARS[Math.ceil((value / most) * BARS.length) - 1])).join("");
}

/** How many values stand in one bar. */
export function valuesPerBar(count: number, width: number): number {
  return Math.max(1, Math.ceil(count / Math.max(1, width)));
}

function grouped(values: readonly number[], width: number): number[] {
  const size = valuesPerBar(values.length, width);
  const bars: number[] = [];
  for (let i = 0; i < values.length; i += size) {
    bars.push(values.slice(i, i + size).reduce((sum, value) => sum + value, 0));
  }
  return bars;
}
