/**
 * The library reads a file through a program of its own (`cat`), as closing a descriptor of it would free every lock that
 * its process holds on it. A judge has no such lock while it opens a file that nobody else uses, and it opens thousands:
 * here it reads that file itself. Of each so many files one is read as the library does it, so that both ways are judged.
 */
import childProcess from "node:child_process";
import { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What the library hands the path over in; nobody else sets it. */
const PATH_IN = "AGENT_STATS_FILE";
const SLOWLY_EVERY = 10;

const slowly = childProcess.execFileSync;
let isQuick = false;
let opened = 0;

/** Runs this for one judged file; of every tenth the reading stays as the library does it. */
export async function readingQuickly<T>(body: () => Promise<T>): Promise<T> {
  install();
  const before = isQuick;
  isQuick = before || opened++ % SLOWLY_EVERY !== 0;
  try {
    return await body();
  } finally {
    isQuick = before;
  }
}

function install(): void {
  if (childProcess.execFileSync !== slowly) return;
  childProcess.execFileSync = ((...given: Parameters<typeof slowly>) => {
    const path = optionsIn(given)?.env?.[PATH_IN];
    return isQuick && path !== undefined ? readFileSync(path) : slowly(...given);
  }) as typeof slowly;
  syncBuiltinESMExports();
}

function optionsIn(given: readonly unknown[]): { readonly env?: NodeJS.ProcessEnv } | undefined {
  return given.find((each) => typeof each === "object" && each !== null && !Array.isArray(each)) as
    | { readonly env?: NodeJS.ProcessEnv }
    | undefined;
}
