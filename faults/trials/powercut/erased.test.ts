import { expect, test } from "vitest";
import type { Entry } from "../../oracle/story.ts";
import { erasedUsers } from "./erased.ts";

const add = (user: string): Entry => ["add", user, "server", "sent", 1];

test("a user is erased from the acknowledgement on, until a later process counts for it again", () => {
  const story: Entry[] = [
    ["start"],
    add("a"),
    add("b"),
    ["asked", 1, { user: "a" }],
    ["done", 1],
    ["asked", 2, { reset: {} }],
    ["done", 2],
    add("a"),
    ["asked", 3, { user: "b", totals: "anonymise" }],
    ["start"],
    add("b"),
    add("a"),
  ];
  const gone = story.map((_, index) => erasedUsers(story.slice(0, index + 1)).join());
  expect(gone).toEqual(["", "", "", "", "a", "a", "a", "a", "a", "a", "a", ""]);
});
