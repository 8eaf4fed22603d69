import { join } from "node:path";
import { StatsError } from "agent-stats";
import { type DriverName, salvageFile, verifyFile } from "agent-stats/sqlcipher";
import { seenByReader } from "../../oracle/judge-file.ts";
import { KEY } from "../../oracle/names.ts";
import type { State } from "../../oracle/story.ts";
import { secretIn } from "../../oracle/told-errors.ts";
import type { Image } from "../../replay/disk.ts";
import { digestOf, imageOf, putImage } from "../../replay/image.ts";
import { DB } from "./damages.ts";

/** What the tools for damaged files say of an image that was refused. */
export interface ToolsSaid {
  /** Null when all is well; else what is wrong. */
  readonly problem: string | null;
  /** Something could be salvaged. */
  readonly salvaged: boolean;
}

/**
 * `verifyFile` must find why an image was refused, and `salvageFile` may bring back less than was saved, never more;
 * neither changes a byte.
 */
export async function useTools(
  folder: string,
  image: Image,
  { states, driver }: { readonly states: ReadonlySet<string>; readonly driver: DriverName },
): Promise<ToolsSaid> {
  putImage(folder, image);
  const said = (problem: string | null, salvaged = false): ToolsSaid => ({ problem, salvaged });
  const file = join(folder, DB);
  const found = await outcome(() => verifyFile({ file, key: KEY, driver, thread: "same" }));
  if (found.broke) return said(`verifyFile broke: ${found.broke}`);
  if (found.value?.ok) return said("verifyFile finds nothing");
  if (digestOf(imageOf(folder)) !== digestOf(image)) return said("verifyFile changed a file");
  const to = join(folder, "salvaged.db");
  const saved = await outcome(() => salvageFile({ from: file, to, key: KEY, driver, thread: "same" }));
  if (saved.broke) return said(`salvageFile broke: ${saved.broke}`);
  const left = new Map([...imageOf(folder)].filter(([name]) => !name.startsWith("salvaged.db")));
  if (digestOf(left) !== digestOf(image)) return said("salvageFile changed a file");
  if (saved.value === null) return said(null);
  const seen = await seenByReader(to, driver);
  if (!("state" in seen)) return said("what was salvaged cannot be read");
  return isBelow(seen.state, states) ? said(null, true) : said("more was salvaged than was ever saved");
}

interface ToolOutcome<T> {
  /** Null where it was refused. */
  readonly value: T | null;
  readonly broke?: string;
}

async function outcome<T>(use: () => Promise<T>): Promise<ToolOutcome<T>> {
  try {
    return { value: await use() };
  } catch (error) {
    const secret = secretIn(error);
    if (secret !== null) return { value: null, broke: `a secret stands in its error: ${secret}` };
    return error instanceof StatsError ? { value: null } : { value: null, broke: String(error) };
  }
}

/** No counter is above the most that it ever was. */
export function isBelow(state: State, states: ReadonlySet<string>): boolean {
  const most = new Map<string, number>();
  for (const each of states) {
    for (const line of each === "" ? [] : each.split("\n")) {
      const at = line.lastIndexOf("=");
      most.set(line.slice(0, at), Math.max(most.get(line.slice(0, at)) ?? 0, Number(line.slice(at + 1))));
    }
  }
  return [...state].every(([key, value]) => value <= (most.get(key) ?? 0));
}
