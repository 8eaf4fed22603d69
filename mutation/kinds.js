/**
 * Of what kind the changes are that no test can or need notice: the first kind counts that names the file and a part of the
 * line. What is of none of them has not been looked at, and is listed by `npm run mutation`.
 *
 * @typedef {{ readonly is: string, readonly where: readonly (readonly [file: string, text: string])[] }} Kind
 * @type {readonly Kind[]}
 */
export const KINDS = [
  {
    is: "in the quick way of counting, beside which the slow way gives the same answer",
    where: [
      ["record/row.ts", "isPlain(n) &&"],
      ["record/row.ts", "function isPlain("],
      ["record/row.ts", 'typeof n === "number"'],
      ["record/row.ts", "this.#at = at + 1 + this.index"],
      ["record/row.ts", "moveTo({ cells, at }: Place)"],
      ["record/row.ts", "< urgency) row.group.owner.touched"],
    ],
  },
  {
    is: "a saving of memory or time, without which the numbers are the same",
    where: [
      ["record/row.ts", "protocol.gauges.length === 0"],
      ["record/memory.ts", ""],
      ["record/recorder.ts", "if (known) return known"],
      ["store/sqlite/schema.ts", "if (version === SCHEMA_VERSION) return"],
      ["store/sqlite/connection.ts", "if (known) return known"],
    ],
  },
  {
    is: "a guard for what the types exclude already",
    where: [
      ["record/row.ts", "protocol.counters[index]?.error"],
      ["record/recorder.ts", "if (protocol === undefined || index === undefined"],
      ["record/recorder.ts", "options.protocols ?? []"],
      ["record/port.ts", "channel.send?."],
      ["record/port.ts", "channel.addEventListener?."],
      ["record/valid.ts", 'typeof given !== "object"'],
    ],
  },
];
