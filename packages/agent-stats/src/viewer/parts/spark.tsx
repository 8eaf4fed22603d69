import { BOX, lineOf } from "../model/line.ts";
import type { Point } from "../model/select.ts";
import { dayShort, hourText } from "../model/words.ts";

const DAY_MS = 86_400_000;

interface SparkProps {
  readonly points: readonly Point[];
  readonly of: "sent" | "received" | "failed";
  readonly kind: "plain" | "bad";
}

/** A line without an axis of numbers: its shape only, so nothing that a reader of screens would miss. */
export function Spark({ points, of, kind }: SparkProps) {
  const line = lineOf(points.map((point) => point[of])).map((at) => at.map((value) => value.toFixed(1)));
  const [first, second] = line;
  const drawn = line.join(" ");
  return (
    <div class={`spark ${kind}`} aria-hidden="true">
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
        {first && second && (
          <>
            <polygon points={`${first[0]},${BOX.height} ${drawn} ${BOX.width},${BOX.height}`} />
            <polyline points={drawn} />
          </>
        )}
        {first && !second && <polyline class="dot" points={`${drawn} ${drawn}`} />}
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
