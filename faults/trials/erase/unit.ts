/** One erase unit: a history, a deletion, images of the files at many moments, and what was found in them. */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DriverName } from "agent-stats/sqlcipher";
import { KEY, MARK, removeSearched } from "../../oracle/canary.ts";
import { COUNTERS, SENT } from "../../oracle/names.ts";
import { type Random, randomOf } from "../../random.ts";
import type { Remote } from "../../remote/remote.ts";
import { type History, historyOf, nameOfSum, type Sums, sumsOf, type UserId } from "./history.ts";
import type { Image, Seen } from "./judge.ts";
import { type Found, findBelow, findIn } from "./needles.ts";

/** Two processes: the one that deletes, and another one on the same machine. */
export interface Lane {
  readonly subject: Remote;
  readonly other: Remote;
}

/** A user of the other process, who stays. */
const CROWD_USER = `user-${MARK}-crowd`;
const IMAGES_BEFORE = 40;
/** While it goes on after the acknowledgement, and while it ends: each. */
const IMAGES_AFTER = 10;
const IMAGES_OPENED = 5;
const CONTROLS_EVERY = 4;

export async function eraseUnit(
  lane: Lane,
  seed: number,
  drivers: readonly DriverName[],
  folder: string,
): Promise<Seen> {
  const history = historyOf(seed, drivers);
  const home = join(folder, `unit-${seed}`);
  const files = join(home, "db");
  // Among the temporary files, which are in memory where there is room.
  const images = join(tmpdir(), `images-${seed}`);
  for (const each of [files, images]) mkdirSync(each, { recursive: true });
  const unit = new Unit(lane, history, seed, { files, images });
  try {
    return await unit.run();
  } finally {
    for (const each of [home, images]) removeSearched(each);
  }
}

class Unit {
  readonly #lane: Lane;
  readonly #history: History;
  readonly #seed: number;
  readonly #random: Random;
  readonly #files: string;
  readonly #imagesIn: string;
  #copies = 0;

  constructor(lane: Lane, history: History, seed: number, at: { readonly files: string; readonly images: string }) {
    this.#lane = lane;
    this.#history = history;
    this.#seed = seed;
    this.#random = randomOf(seed + 1);
    this.#files = at.files;
    this.#imagesIn = at.images;
  }

  async run(): Promise<Seen> {
    const { subject, other } = this.#lane;
    const { driver, thread, victim, totals, held, crowded, steps } = this.#history;
    const where = { file: join(this.#files, "stats.db"), driver, thread };
    const expected = sumsOf(steps);
    await subject.call("open", { ...where, soon: held || crowded });
    await subject.call("take", steps);
    if (crowded) await this.#startCrowd(where);
    if (held) await other.call("holdOpen", where);

    const before = this.#look(this.#image());
    const controls = await this.#controls(driver);
    const { erased, between } = await this.#delete({ userId: victim, totals });
    if (held) await other.call("letGo");
    if (erased === "pending") await subject.call("whenErased");
    const after = [this.#look(this.#image())];

    after.push(...(await this.#imagesWhile(this.#late())), this.#look(this.#image()));
    const rounds = crowded ? await other.call<number>("stopCounting") : 0;
    if (crowded) await other.call("close");
    after.push(...(await this.#imagesWhile(subject.call("close"))), this.#look(this.#files));
    const next = await subject.call<{ problem: string | null; sums: Sums }>("nextStart", where);
    const inBetween = between.map((folder) => this.#look(folder));
    const opened = await this.#openImages(between, where);
    return {
      history: this.#history,
      expected: { whole: expected, gone: this.#gone(expected, rounds) },
      before,
      erased,
      images: opened,
      between: inBetween,
      after,
      last: { ...next, found: this.#look(this.#files) },
      controls,
    };
  }

  async #startCrowd(where: object): Promise<void> {
    const { other } = this.#lane;
    const { victim, tag } = this.#history;
    await other.call("open", { ...where, thread: "worker", soon: true });
    const keys = [
      { userId: victim, server: `smp://${MARK}-${tag}-crowd.example` },
      { userId: CROWD_USER, server: `smp://${MARK}-crowd.example` },
    ];
    await other.call("startCounting", { keys, counter: COUNTERS[SENT] });
  }

  /** The deletion, and images of the files at moments of it. */
  async #delete(given: { readonly userId: UserId; readonly totals: string }) {
    const deleting = this.#lane.subject.call<{ erased: string }>("delete", given);
    const between = await this.#takeWhile(deleting, IMAGES_BEFORE);
    return { ...(await deleting), between };
  }

  /** What images of after the acknowledgement hold, taken while it goes on. */
  async #imagesWhile(going: Promise<unknown>): Promise<Found[]> {
    const images = await this.#takeWhile(going, IMAGES_AFTER);
    return images.map((folder) => this.#look(folder));
  }

  async #takeWhile(going: Promise<unknown>, most: number): Promise<string[]> {
    let isOver = false;
    const over = going.finally(() => {
      isOver = true;
    });
    // Where an image cannot be taken nobody waits for it any more.
    over.catch(() => {});
    const images: string[] = [];
    while (!isOver) {
      if (images.length < most) images.push(this.#image());
      await delay(this.#random.whole(0, 3));
    }
    await over;
    return images;
  }

  /** What comes too late for the user, and goes on for others. */
  async #late(): Promise<void> {
    const { subject } = this.#lane;
    const { victim, victimServers, tag } = this.#history;
    const lateServers = [victimServers[0] ?? "", `smp://${MARK}-${tag}-late.example`];
    const counts = lateServers.map((server) => ({
      do: "count",
      userId: victim,
      server,
      counter: COUNTERS[SENT],
      n: 7,
    }));
    const kept = {
      do: "count",
      userId: CROWD_USER,
      server: `smp://${MARK}-later.example`,
      counter: COUNTERS[SENT],
      n: 3,
    };
    await subject.call("take", [...counts, kept, { do: "flush" }]);
  }

  /** The sums when the deletion is done, and all that came after it. */
  #gone(whole: Sums, rounds: number): Sums {
    const gone = new Map<string, number>();
    for (const [name, n] of whole) {
      const [userId, , counter] = JSON.parse(name) as [string, string, string];
      const isVictim = userId === String(this.#history.victim);
      if (isVictim && this.#history.totals === "forget") continue;
      const moved = isVictim ? nameOfSum("", "", counter) : name;
      gone.set(moved, (gone.get(moved) ?? 0) + n);
    }
    gone.set(nameOfSum(CROWD_USER, `smp://${MARK}-later.example`, COUNTERS[SENT]), 3);
    if (rounds > 0) gone.set(nameOfSum(CROWD_USER, `smp://${MARK}-crowd.example`, COUNTERS[SENT]), rounds);
    return gone;
  }

  /** The files as a kill at this moment would leave them: nobody writes while they are copied. */
  #image(): string {
    const to = join(this.#imagesIn, `image-${++this.#copies}`);
    mkdirSync(to);
    const { subject, other } = this.#lane;
    const processes = this.#history.crowded ? [subject, other] : [subject];
    try {
      for (const each of processes) each.freeze();
      for (const name of readdirSync(this.#files)) {
        if (!name.endsWith("-shm")) copyFileSync(join(this.#files, name), join(to, name));
      }
    } finally {
      for (const each of processes) each.thaw();
    }
    return to;
  }

  #look(folder: string): Found {
    return findBelow(folder, KEY, this.#history);
  }

  /** What a reader finds in images of before the acknowledgement, and what the next start makes of them. */
  async #openImages(between: readonly string[], where: object): Promise<Image[]> {
    const chosen = [...between].sort(() => this.#random.next() - 0.5).slice(0, IMAGES_OPENED);
    const images: Image[] = [];
    for (const folder of chosen) {
      // Whoever only judges needs no thread for that.
      const image = { ...where, file: join(folder, "stats.db"), thread: "same" };
      const sums = await this.#lane.other.call<Sums>("sums", image);
      const next = await this.#lane.other.call<{ sums: Sums }>("nextStart", image);
      images.push({ sums, next: { sums: next.sums, found: this.#look(folder) } });
    }
    return images;
  }

  /** The same deletion without what erases: in copies of the files, for some histories. */
  async #controls(driver: DriverName): Promise<Seen["controls"]> {
    if (this.#seed % CONTROLS_EVERY !== 0) return null;
    const { victim } = this.#history;
    const found = async (how: { readonly keepLog: boolean; readonly secure: boolean }) => {
      const folder = this.#image();
      const file = join(folder, "stats.db");
      await this.#lane.other.call("deleteOnly", { file, driver, userId: victim, ...how });
      const { servers } = findIn(file, KEY, this.#history);
      if (how.keepLog) await this.#lane.other.call("letGoRaw");
      return servers;
    };
    return {
      withoutCheckpoint: await found({ keepLog: true, secure: true }),
      withoutRewriting: await found({ keepLog: false, secure: false }),
      withSecureDelete: await found({ keepLog: false, secure: true }),
    };
  }
}
