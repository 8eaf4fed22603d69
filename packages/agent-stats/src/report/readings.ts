/** In one spelling for what looks or sounds the same: case, width, accents, and marks that nobody sees. */
export function oneSpelling(word: string): string {
  return word
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .toUpperCase()
    .toLowerCase();
}

/** Nobody escapes a name more often than this without meaning to hide it. */
const MOST_ROUNDS = 5;

/** A word as it is, and as it reads when it is taken for percent-encoded, or for escaped as in JSON or HTML. */
export function readingsOf(word: string): string[] {
  const readings = [word];
  for (let reading = unescaped(word); readings.at(-1) !== reading && readings.length <= MOST_ROUNDS; ) {
    readings.push(reading);
    reading = unescaped(reading);
  }
  return readings;
}

const HTML_NAMES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " },
  ...{ period: ".", colon: ":", commat: "@", sol: "/", comma: ",", lowbar: "_", hyphen: "-", dash: "-", num: "#" },
};

function unescaped(word: string): string {
  return word
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => textOf(bytesOfHex(run.replaceAll("%", ""))))
    .replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_, long, short) => character(long ?? short, 16))
    .replace(/\\u\{([0-9a-f]{1,6})\}/gi, (_, point) => character(point, 16))
    .replace(/&#(\d{1,7});?/g, (_, point) => character(point, 10))
    .replace(/&#x([0-9a-f]{1,6});?/gi, (_, point) => character(point, 16))
    .replace(/&(\w{1,8});/g, (entity, name) => (Object.hasOwn(HTML_NAMES, name) ? (HTML_NAMES[name] ?? "") : entity));
}

function character(digits: string, radix: number): string {
  const point = Number.parseInt(digits, radix);
  // Halves of pairs stand side by side, and are one character then.
  return point <= 0x10ffff ? String.fromCodePoint(point) : "";
}

/**
 * What a word could be the base64 or the digits of: whatever stands before and after, and of whichever alphabet. Most of
 * it is noise, in which short names stand by chance.
 */
export function decodingsOf(word: string): string[] {
  const base64 = word.match(/[A-Za-z0-9+/_-]{4,}/g) ?? [];
  const hex = word.match(/[0-9a-f]{8,}/gi) ?? [];
  return [
    ...base64.flatMap((run) => [0, 1, 2, 3].map((skipped) => textOf(bytesOfBase64(run.slice(skipped))))),
    ...hex.flatMap((run) => [0, 1].map((skipped) => textOf(bytesOfHex(run.slice(skipped))))),
  ];
}

function bytesOfBase64(letters: string): Uint8Array {
  const whole = letters.slice(0, letters.length - (letters.length % 4 === 1 ? 1 : 0));
  return Uint8Array.from(atob(whole.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

function bytesOfHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
