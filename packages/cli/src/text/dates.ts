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

const DAY_MS = 86_400_000;
const two = (value: number) => String(value).padStart(2, "0");

/** A day as one says it: `14:00 today`, `14:00 yesterday`, `19 June`, `19 June 2025`. */
export function formatDay(date: Date, now: Date): string {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (isSameDay(date, now)) return `${time} today`;
  if (isSameDay(date, new Date(now.getTime() - DAY_MS))) return `${time} yesterday`;
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === now.getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** The same with the word that it needs: `at 14:00 today`, `on 19 June`. */
export function formatOnDay(date: Date, now: Date): string {
  const day = formatDay(date, now);
  return `${/^\d\d:/.test(day) ? "at" : "on"} ${day}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
