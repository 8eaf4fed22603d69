/** Users whose deletion was acknowledged: from then on no power cut brings a page back that holds one of them. */
import { KEY } from "../../oracle/names.ts";
import { decryptPages } from "../../oracle/pages.ts";
import type { Entry } from "../../oracle/story.ts";
import type { Verdict } from "./judge.ts";

/** Whoever is counted again by a later process is back; in the same one it goes nowhere. */
export function erasedUsers(entries: readonly Entry[]): string[] {
  const erased = new Set<string>();
  const asked = new Map<number, string>();
  const deletedHere = new Set<string>();
  for (const entry of entries) {
    if (entry[0] === "start") deletedHere.clear();
    else if (entry[0] === "asked" && entry[2] !== "save" && "user" in entry[2]) {
      asked.set(entry[1], entry[2].user);
      deletedHere.add(entry[2].user);
    } else if (entry[0] === "done") {
      const user = asked.get(entry[1]);
      if (user !== undefined) erased.add(user);
    } else if (entry[0] === "add" && !deletedHere.has(entry[1])) erased.delete(entry[1]);
  }
  return [...erased];
}

export function findUsers(file: string, users: readonly string[]): Verdict | null {
  if (users.length === 0) return null;
  const { pages } = decryptPages(file, KEY);
  const found = users.filter((user) => pages.some((page) => page.includes(user)));
  if (found.length === 0) return null;
  const what = `${found.length} users stand in pages that can be decrypted, although their erasure was acknowledged`;
  return { fault: "notErased", what };
}
