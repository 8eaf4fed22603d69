const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS };

/**
 * A moment as people type it: `2026-06-19`, `2026-06-19T14:00` (both on this machine's clock), with a zone as in ISO
 * 8601, or how long ago: `36h`, `7d`, `4w`.
 */
export function parseMoment(input: string, now: Date = new Date()): Date {
  const ago = /^(\d{1,5})([hdw])$/.exec(input);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (UNITS_MS[ago[2] ?? ""] ?? 0));
  const iso = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(input);
  // Without a time, JavaScript would take midnight of Greenwich.
  const date = new Date(iso?.[2] === undefined ? `${input}T00:00` : input);
  // It would also take 31 February for a day in March.
  const isReal = iso !== null && Number(iso[1]?.slice(8)) === new Date(`${iso[1]}T00:00`).getDate();
  if (!isReal || Number.isNaN(date.getTime())) throw new Error("it is no moment");
  return date;
}
