import { StatsError } from "../store/errors.ts";
import { FIXED_WORDS } from "./document.ts";
import { type KnownNames, partsOf, partsOfUser } from "./known-names.ts";
import { decodingsOf, oneSpelling, readingsOf } from "./readings.ts";

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
/** Shorter names, in bytes, are only known as a whole word: they stand in any text by chance. */
const SHORTEST_PART = 3;
/** Shorter ones stand in what is decoded of any word by chance. */
const SHORTEST_DECODED = 4;
/** Longer ones are known without what separates their words too: `broker_example_com`. */
const SHORTEST_JOINED = 8;
/** Longer ones are in no counter's name by chance. */
const LONGEST_BY_CHANCE = 15;

/**
 * Searches the finished bytes of a report for everything that is known of users and servers: in any case, width and
 * script, percent-encoded, escaped as in JSON or HTML, and in base64 whatever stands around it.
 *
 * @throws StatsError `STATS_REPORT_LEAKS` on a hit, or where the bytes are not a report. It tells what kind of name it
 * is, and never which.
 */
export function assertNamesNobody(json: string, known: KnownNames, allowed: AllowedWords): void {
  const hosts = [...new Set([...known.servers].flatMap(partsOf))];
  const users = [...new Set([...known.users].flatMap(partsOfUser))];
  const free = freeWords([...hosts, ...users], allowed);
  if (!NO_STRING.test(json.replace(STRING, ""))) throw leak("something that is not of a report");
  const rest = (json.match(STRING) ?? []).map((token) => JSON.parse(token) as string).filter((word) => !free(word));
  if (rest.length === 0) return;
  const searched = searchable(rest);
  if (hosts.some((part) => stands(part, searched))) throw leak("a server");
  if (users.some((part) => stands(part, searched))) throw leak("a user");
}

function leak(what: string): StatsError {
  const sentence = `The report would name ${what}: it was not made. Choose another name for the case, or report this.`;
  return new StatsError("STATS_REPORT_LEAKS", sentence);
}

function freeWords(names: readonly string[], { identifiers, texts, publicServers }: AllowedWords) {
  const free = new Set([...FIXED_WORDS, ...harmless([...identifiers], names), ...texts, ...publicServers, ""]);
  return (word: string) => free.has(word) || HOUR.test(word);
}

/** A counter that is called after a server, or after a user, would be a leak that looks like a counter. */
function harmless(identifiers: readonly string[], names: readonly string[]): readonly string[] {
  // Users are called `sent` and servers `x`: only what is long, or looks like an address, is called so on purpose.
  const addresses = names.filter((name) => /\w[.:]\w/.test(name));
  const long = names.filter((name) => sizeOf(name) > LONGEST_BY_CHANCE);
  const telling = [...long, ...addresses.filter((name) => sizeOf(name) >= SHORTEST_JOINED)];
  // `t.me` stands within `sent.messages`.
  const short = addresses.map(oneSpelling);
  const isClean = (words: readonly string[]) => {
    const searched = searchable(words);
    return !short.some((name) => searched.words.has(name)) && !telling.some((name) => stands(name, searched));
  };
  return isClean(identifiers) ? identifiers : identifiers.filter((name) => isClean([name]));
}

interface Searchable {
  /** Every word as it is, and the words in it. */
  readonly words: ReadonlySet<string>;
  /** All that can be read in them, one below the other. */
  readonly text: string;
  /** The same without what separates the words of a name. */
  readonly joined: string;
  /** What some of it could be the base64 of. */
  readonly decoded: string;
}

function searchable(rest: readonly string[]): Searchable {
  const readings = rest.flatMap(readingsOf);
  // A host stands for the same server in its own script and as it is looked up: `xn--…`.
  const all = [...readings, ...readings.flatMap((word) => wordsIn(word).flatMap(partsOf))].map(oneSpelling);
  const text = all.join("\n");
  return {
    words: new Set([
      ...all,
      ...all.flatMap((word) => word.split(/[^\p{L}\p{N}]+/u)).filter((word) => /\p{L}/u.test(word)),
    ]),
    text,
    joined: joined(text),
    decoded: readings.flatMap(decodingsOf).flatMap(readingsOf).map(oneSpelling).join("\n"),
  };
}

/** Without the signs of the sentence around them. */
function wordsIn(sentence: string): string[] {
  return sentence.split(/\s+/).map((word) => word.replaceAll(/^[^\p{L}\p{N}[]+|[^\p{L}\p{N}\]]+$/gu, ""));
}

function joined(text: string): string {
  return text.replaceAll(/[._:@/+-]/g, "");
}

function stands(name: string, { words, text, joined: joinedText, decoded }: Searchable): boolean {
  const plain = oneSpelling(name);
  if (words.has(plain)) return true;
  const size = sizeOf(plain);
  if (size >= SHORTEST_PART && text.includes(plain)) return true;
  if (size >= SHORTEST_DECODED && decoded.includes(plain)) return true;
  const inOne = joined(plain);
  return inOne.length >= SHORTEST_JOINED && joinedText.includes(inOne);
}

/** In bytes, as a name of two Chinese letters tells as much as one of six Latin ones. */
function sizeOf(name: string): number {
  return new TextEncoder().encode(name).length;
}
