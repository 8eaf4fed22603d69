import { formatCount } from "./numbers.ts";

/** `1 server`, `2 servers`. */
export function plural(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}
