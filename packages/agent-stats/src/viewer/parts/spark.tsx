/** A line of values without axes: its shape only, so nothing that a reader of screens would miss. */
export function Spark({
  values,
  kind,
}: {
  readonly values: readonly (number | null)[];
  readonly kind: "plain" | "bad";
}) {
  const known = values.map((value) => value ?? 0);
  const top = Math.max(1, ...known);
  const [width, height] = [120, 32];
  const x = (index: number) => (values.length < 2 ? width : (index / (values.length - 1)) * width);
  const y = (value: number) => height - 1 - (value / top) * (height - 3);
  const points = known.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  const first = values.findIndex((value) => value !== null);
  if (first < 0) return <svg class={`spark ${kind}`} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const line = points.slice(first);
  return (
    <svg class={`spark ${kind}`} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`${x(first).toFixed(1)},${height} ${line.join(" ")} ${width},${height}`} />
      <polyline points={line.join(" ")} />
    </svg>
  );
}
