import { StatsError } from "../store/errors.ts";
import { FIXED_WORDS } from "./document.ts";
import { type KnownNames, partsOf } from "./known-names.ts";

/** What may stand in a report as a whole word, because it was not made of a name. */
export interface AllowedWords {
  /** Names of protocols and counters: a programmer wrote them. */
  readonly identifiers: Iterable<string>;
  /** Whole sentences that the program brings along, and pseudonyms. */
  readonly texts: Iterable<string>;
  /** Well-known public servers, as they are shown. */
  readonly publicServers: Iterable<string>;
}

const HOUR = /^\d{4}-\d{2}-\d{2}T\d{2}:00Z$/;
const STRING = /"(?:[^"\\]|\\.)*"/g;
/** Numbers, true, false, null and what stands between them. */
const NO_STRING = /^(?:[\s,:{}[\]]|true|false|null|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)*$/;
/** Shorter names are only known as a whole word: they stand in any text by chance. */
const SHORTEST_PART = 3;
/** Fewer letters of base64 stand anywhere by chance. */
const SHORTEST_BASE64 = 4;

/**
 * Searches the finished bytes of a report for everything that is known of users and servers: plain in any case, percent-
 * encoded, and in base64 at each of its three alignments.
 *
 * @throws StatsError `STATS_REPORT_LEAKS` on a hit, or where the bytes are not a report. It tells what kind of name it
 * is, and never which.
 */
export function assertNamesNobody(json: string, known: KnownNames, allowed: AllowedWords): void {
  const hosts = new Set([...known.servers].flatMap(partsOf));
  const free = freeWords(hosts, allowed);
  if (!NO_STRING.test(json.replace(STRING, ""))) throw leak("something that is not of a report");
  const rest = (json.match(STRING) ?? []).map((token) => JSON.parse(token) as string).filter((word) => !free(word));
  if (rest.length === 0) return;
  const searched = searchable(rest);
  for (const part of hosts) if (stands(part, searched)) throw leak("a server");
  for (const user of known.users) if (stands(user, searched)) throw leak("a user");
}

function leak(what: string): StatsError {
  const sentence = `The report would name ${what}: it was not made. Choose another name for the case, or report this.`;
  return new StatsError("STATS_REPORT_LEAKS", sentence);
}

function freeWords(hosts: ReadonlySet<string>, { identifiers, texts, publicServers }: AllowedWords) {
  const addresses = [...hosts].filter((host) => /[.:]/.test(host)).map((host) => host.toLowerCase());
  // A counter that is called after a server would be a leak that looks like a counter.
  const harmless = [...identifiers].filter((name) => !addresses.some((host) => name.toLowerCase().includes(host)));
  const free = new Set([...FIXED_WORDS, ...harmless, ...texts, ...publicServers, ""]);
  return (word: string) => free.has(word) || HOUR.test(word);
}

interface Searchable {
  /** Every word, as it is and decoded, in one spelling. */
  readonly words: readonly string[];
  /** The same in the spelling of base64, where small and capital letters differ. */
  readonly base64: readonly string[];
}

function searchable(rest: readonly string[]): Searchable {
  const decoded = rest.flatMap((word) => [word, percentDecoded(word), percentDecoded(percentDecoded(word))]);
  return {
    // A host stands for the same server in its own script and as it is looked up: `xn--…`.
    words: [...decoded, ...decoded.flatMap((word) => word.split(/\s+/).flatMap(partsOf))].map(oneSpelling),
    base64: decoded.map((word) => word.replaceAll("-", "+").replaceAll("_", "/")),
  };
}

function oneSpelling(word: string): string {
  return word.normalize("NFKC").toLowerCase();
}

function percentDecoded(word: string): string {
  return word.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = run.slice(1).split("%");
    return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
  });
}

function stands(name: string, { words, base64 }: Searchable): boolean {
  const plain = oneSpelling(name);
  if (words.some((word) => word === plain || (plain.length >= SHORTEST_PART && word.includes(plain)))) return true;
  return base64Forms(name).some((form) => base64.some((word) => word.includes(form)));
}

/**
 * The letters that these bytes leave in any base64 that holds them: what stands before shifts them by 0, 2 or 4 bits, and
 * the letters at both ends, which are shared with a neighbour, are left out.
 */
export function base64Forms(name: string): string[] {
  const bytes = new TextEncoder().encode(name);
  const forms = [0, 1, 2].map((before) => {
    const shifted = new Uint8Array(before + bytes.length);
    shifted.set(bytes, before);
    const text = btoa(Array.from(shifted, (byte) => String.fromCharCode(byte)).join(""));
    return text.slice(Math.ceil((before * 8) / 6), Math.floor((shifted.length * 8) / 6));
  });
  return forms.filter((form) => form.length >= SHORTEST_BASE64);
}
