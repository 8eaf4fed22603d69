/**
 * The users, servers and counters of every trial. Each name carries the campaign's mark, so that one search afterwards
 * finds whatever was written in the open.
 */
import { defineProtocol } from "agent-stats";
import { MARK } from "./canary.ts";

export { KEY } from "./canary.ts";

/** The order of the counters is their number in ledgers. `failed` is an error: it is saved within 250 ms. */
export const COUNTERS = [`attempted_${MARK}`, `sent_${MARK}`, `failed_${MARK}`] as const;
export const [ATTEMPTED, SENT, FAILED] = [0, 1, 2] as const;

export const protocol = defineProtocol(`smp_${MARK}`, {
  [COUNTERS[0]]: "messages that were tried",
  [COUNTERS[1]]: "messages that the server acknowledged",
  [COUNTERS[2]]: { help: "messages that the server refused", error: true },
});

export const userOf = (n: number) => `user-${MARK}-${n}`;
export const serverOf = (n: number) => `smp://${MARK}-${n}.example`;

/** The number within a name of `userOf` or `serverOf`. */
export function numberIn(name: string): number {
  const digits = /-(\d+)(?:\.example)?$/.exec(name)?.[1];
  if (digits === undefined) throw new Error("a name that is not of this campaign");
  return Number(digits);
}
