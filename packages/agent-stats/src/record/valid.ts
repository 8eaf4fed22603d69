import { isCount, isObject } from "./given.ts";
import { defineProtocol, type Protocol } from "./protocol.ts";

/** Half of a character that is written in two parts. Databases keep another in its place, the same for all of them. */
const HALF_CHARACTER = /\p{Cs}/u;

/** Text, as far as every database can keep it: not empty, and of whole characters. */
export function isName(given: unknown): given is string {
  return typeof given === "string" && given !== "" && !HALF_CHARACTER.test(given);
}

/** Made by `defineProtocol`, of this copy of the library or of another. */
export function isProtocol(given: unknown): given is Protocol {
  if (!isObject(given)) return false;
  const { name, counters, gauges, counterIndex, gaugeIndex } = given;
  const isWhole = Array.isArray(counters) && Array.isArray(gauges);
  return isName(name) && isWhole && counterIndex instanceof Map && gaugeIndex instanceof Map;
}

/** The numbers of a key before this session, as whoever keeps them tells. */
export function isPast(given: unknown): boolean {
  return isObject(given) && isObject(given.overall) && Object.values(given.overall).every(isCount);
}

/** What handles have that were asked for with no protocol: it counts nothing. */
export const NO_PROTOCOL: Protocol = defineProtocol("none", {});
