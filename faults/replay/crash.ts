import type { Random } from "../random.ts";
import { garbage, shuffled } from "./chance.ts";
import { applied, applyName, type Change, type Disk, type Image, type Inode, type NameChange } from "./disk.ts";

/** A disk writes sectors of this size whole, or not at all; of the last one it may write a part. */
const SECTOR = 512;

/**
 * What a power cut does with the changes of one file that were not synced:
 * - `lost`, `kept`: none and all of them arrived.
 * - `some`: any of them arrived, in any order.
 * - `torn`: of any of them any sectors arrived.
 * - `garbage`: the same, and sectors that were being written hold anything, or nothing.
 * - `cut`: all arrived but the last, which was cut at a byte.
 */
const WAYS = ["lost", "kept", "some", "torn", "garbage", "cut"] as const;
export type Way = (typeof WAYS)[number];

/** The folder as one power cut at this moment could leave it. */
export function crash(disk: Disk, random: Random): Image {
  // As often all files suffer the same as each its own.
  const common = random.percent(50) ? random.pick(WAYS) : null;
  const left = new Map<Inode, Buffer>();
  for (const inode of disk.inodes()) left.set(inode, leftOf(inode, common ?? random.pick(WAYS), random));
  const names = new Map(disk.durableNames);
  for (const change of namesLeft(disk.pendingNames, random)) applyName(names, change);
  return new Map([...names].map(([name, inode]) => [name, left.get(inode) as Buffer]));
}

/** A journaling file system keeps the order of its names; another may keep any of them. */
function namesLeft(changes: readonly NameChange[], random: Random): readonly NameChange[] {
  if (random.percent(50)) return changes.slice(0, random.whole(0, changes.length));
  const kept = random.pick([20, 50, 80]);
  return changes.filter(() => random.percent(kept));
}

export function leftOf({ durable, pending }: Inode, way: Way, random: Random): Buffer {
  if (pending.length === 0 || way === "lost") return durable;
  if (way === "kept") return applied(durable, pending);
  if (way === "cut") return applied(durable, cutLast(pending, random));
  const kept = random.pick([10, 50, 90]);
  if (way === "some") {
    const some = pending.filter(() => random.percent(kept));
    return applied(durable, random.percent(50) ? shuffled(some, random) : some);
  }
  return applied(
    durable,
    pending.flatMap((change) => torn(change, kept, way === "garbage", random)),
  );
}

function cutLast(pending: readonly Change[], random: Random): Change[] {
  const last = pending.at(-1) as Change;
  const before = pending.slice(0, -1);
  return "size" in last
    ? before
    : [...before, { ...last, bytes: last.bytes.subarray(0, random.whole(0, last.bytes.length - 1)) }];
}

function torn(change: Change, kept: number, withGarbage: boolean, random: Random): Change[] {
  if ("size" in change) return random.percent(kept) ? [change] : [];
  const pieces: Change[] = [];
  const end = change.at + change.bytes.length;
  for (let at = change.at; at < end; ) {
    const next = Math.min(end, (Math.floor(at / SECTOR) + 1) * SECTOR);
    const bytes = change.bytes.subarray(at - change.at, next - change.at);
    if (random.percent(kept)) pieces.push({ at, bytes });
    else if (withGarbage) {
      pieces.push({ at, bytes: random.percent(50) ? garbage(bytes.length, random) : Buffer.alloc(bytes.length) });
    }
    at = next;
  }
  return pieces;
}
