/** Between groups of three digits: a narrow space that does not break, as ISO 80000-1 asks for. */
const GROUP = "\u202f";

/** A whole number, in groups of three digits. */
export function countText(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, GROUP);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** Controls, invisible marks, marks that turn the direction, and halves of pairs: names come from other people. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

export function printable(name: string): string {
  return name.replace(UNPRINTABLE, (point) => `\\u{${(point.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Makes one word of several: no line is to be broken within. */
export function together(words: string): string {
  return words.replaceAll(" ", "\u00a0");
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const two = (value: number) => String(value).padStart(2, "0");

/** A day as one says it: `14:00 today`, `14:00 yesterday`, `19 June`, `19 June 2025`. */
export function dayText(date: Date, now: Date): string {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (isSameDay(date, now)) return `${time} today`;
  if (isSameDay(date, new Date(now.getTime() - DAY_MS))) return `${time} yesterday`;
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === now.getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** The same with the word that it needs: `at 14:00 today`, `on 19 June`. */
export function onDayText(date: Date, now: Date): string {
  const day = dayText(date, now);
  return `${/^\d\d:/.test(day) ? "at" : "on"} ${day}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

/** A length of time in its two largest units: `250 ms`, `2.5 s`, `1 min 30 s`, `4 d 3 h`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < HOUR_MS) return inTwo(ms, MINUTE_MS, "min", SECOND_MS, "s");
  if (ms < DAY_MS) return inTwo(ms, HOUR_MS, "h", MINUTE_MS, "min");
  return inTwo(ms, DAY_MS, "d", HOUR_MS, "h");
}

function inTwo(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  const first = `${Math.floor(ms / largeMs)} ${large}`;
  return rest === 0 ? first : `${first} ${rest} ${small}`;
}
