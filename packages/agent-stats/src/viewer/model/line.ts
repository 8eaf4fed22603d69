/** The box that a line without axes is drawn in. */
export const BOX = { width: 120, height: 32 } as const;

const { width, height } = BOX;
/** So far from the edges nothing of a dot is cut off. */
const [DOT_X, DOT_Y] = [width - 1.5, 2.5];

/** From the first value that is known to now. One value alone is a dot at the right: there is no line through it yet. */
export function lineOf(values: readonly (number | null)[]): (readonly [x: number, y: number])[] {
  const first = values.findIndex((value) => value !== null);
  const known = first < 0 ? [] : values.slice(first).map((value) => value ?? 0);
  const top = Math.max(1, ...known);
  const y = (value: number) => height - 1 - (value / top) * (height - 3);
  const [only = 0] = known;
  if (known.length === 1) return [[DOT_X, Math.min(height - DOT_Y, Math.max(DOT_Y, y(only)))]];
  return known.map((value, index) => [((first + index) / (values.length - 1)) * width, y(value)]);
}
