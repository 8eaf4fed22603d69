import { describe, expect, test } from "vitest";
import { acknowledged, admissible, canonical, type Entry, everAdmissible, keyOf, type State } from "./story.ts";

const state = (counts: Record<string, number>) => canonical(new Map(Object.entries(counts)) as State);
const [a, b] = [keyOf("u", "s", "a"), keyOf("v", "s", "a")];
const add = (user: string, n = 1): Entry => ["add", user, "s", "a", n];

describe("the states that are right", () => {
  test("hold all that was acknowledged, and any beginning of the rest", () => {
    const story: Entry[] = [["start"], add("u"), ["asked", 1, "save"], add("v", 2), ["done", 1], add("u", 4)];
    expect(admissible(story)).toEqual(
      new Set([state({ [a]: 1 }), state({ [a]: 1, [b]: 2 }), state({ [a]: 5, [b]: 2 })]),
    );
    expect(canonical(acknowledged(story))).toBe(state({ [a]: 1 }));
    expect(everAdmissible(story)).toContain(state({}));
  });

  test("without an acknowledgement, nothing need be there", () => {
    expect(admissible([["start"], add("u"), ["asked", 1, "save"]])).toEqual(new Set([state({}), state({ [a]: 1 })]));
  });

  test("of a deletion that was not acknowledged: all or nothing of it; once it was: all, and nobody comes back", () => {
    const saved: Entry[] = [["start"], add("u"), add("v", 2), ["asked", 1, "save"], ["done", 1]];
    const asked: Entry[] = [...saved, ["asked", 2, { user: "u" }]];
    expect(admissible(asked)).toEqual(new Set([state({ [a]: 1, [b]: 2 }), state({ [b]: 2 })]));
    expect(admissible([...asked, add("u"), ["done", 2]])).toEqual(new Set([state({ [b]: 2 })]));
    const next: Entry[] = [...asked, ["done", 2], ["start"], add("u", 7), ["asked", 3, "save"], ["done", 3]];
    expect(admissible(next)).toEqual(new Set([state({ [a]: 7, [b]: 2 })]));
  });

  test("a deletion that keeps totals moves them to nobody, and saves first", () => {
    const story: Entry[] = [["start"], add("u", 3), ["asked", 1, { user: "u", totals: "anonymise" }], ["done", 1]];
    expect(admissible(story)).toEqual(new Set([state({ [keyOf("", "", "a")]: 3 })]));
  });

  test("a reset covers its scope, and what is counted after it is counted", () => {
    const story: Entry[] = [
      ["start"],
      add("u"),
      add("v"),
      ["asked", 1, { reset: { user: "u" } }],
      ["done", 1],
      add("u", 5),
    ];
    expect(admissible([...story, ["asked", 2, "save"], ["done", 2]])).toEqual(new Set([state({ [a]: 5, [b]: 1 })]));
  });

  test("each session may have lost its own end", () => {
    const story: Entry[] = [["start"], add("u"), ["start"], add("v")];
    expect(admissible(story).size).toBe(4);
  });
});
