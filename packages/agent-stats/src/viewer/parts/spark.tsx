import type { Point } from "../model/select.ts";
import { dayShort, hourText } from "../model/words.ts";

const [WIDTH, HEIGHT] = [120, 32];
const DAY_MS = 86_400_000;

interface SparkProps {
  readonly points: readonly Point[];
  readonly of: "sent" | "received" | "failed";
  readonly kind: "plain" | "bad";
}

/** A line without an axis of numbers: its shape only, so nothing that a reader of screens would miss. */
export function Spark({ points, of, kind }: SparkProps) {
  const values = points.map((point) => point[of]);
  const known = values.map((value) => value ?? 0);
  const top = Math.max(1, ...known);
  const x = (index: number) => (values.length < 2 ? WIDTH : (index / (values.length - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - 1 - (value / top) * (HEIGHT - 3);
  const line = known.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  const first = values.findIndex((value) => value !== null);
  return (
    <div class={`spark ${kind}`} aria-hidden="true">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {first >= 0 && (
          <>
            <polygon points={`${x(first).toFixed(1)},${HEIGHT} ${line.slice(first).join(" ")} ${WIDTH},${HEIGHT}`} />
            <polyline points={line.slice(first).join(" ")} />
          </>
        )}
      </svg>
      <p>
        <span>{beginText(points)}</span>
        <span>now</span>
      </p>
    </div>
  );
}

function beginText(points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return "";
  const begin = new Date(first.start);
  return last.start - first.start > DAY_MS ? dayShort(begin) : hourText(begin);
}
