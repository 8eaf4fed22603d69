/** One clock unit: a host lives through a plan, and another process, whose clock is right, reads what is left. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { randomOf } from "../../random.ts";
import {
  added,
  type Outcome,
  type Reading,
  type Sums,
  startHost,
  sumsOfCounts,
  type Where,
} from "../../remote/host.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Mechanism } from "../../remote/without.ts";
import type { Seen } from "./judge.ts";
import { HOUR, isForwardOnly, type Plan, type Step } from "./plan.ts";

const SLOW_FLUSH_MS = 86_400_000;

export interface UnitOf {
  readonly seed: number;
  readonly folder: string;
  readonly plan: Plan;
  readonly without?: Mechanism;
}

export async function clockUnit(
  [host, reader]: readonly [Remote, Remote],
  { seed, folder, plan, without }: UnitOf,
): Promise<Seen> {
  const home = join(folder, `unit-${seed}`);
  mkdirSync(home, { recursive: true });
  const random = randomOf(seed + 1);
  const thread = random.pick(["worker", "same"] as const);
  const where = { file: join(home, "stats.db"), driver: random.pick(DRIVERS), thread };
  const life = new Life(host, plan, { ...where, ...(without && { without }) }, folder);
  try {
    await life.live();
    await reader.call("setZone", plan.zone);
    return { plan, ...life.ledger, reading: await reader.call<Reading>("read", { ...where, thread: "same" }) };
  } finally {
    await life.end();
    removeSearched(home);
  }
}

class Life {
  #host: Remote;
  readonly #spare: Remote;
  readonly #plan: Plan;
  readonly #where: Where;
  readonly #folder: string;
  #counted: Sums = new Map();
  /** What was counted in which hour, where the plan lets that be told: by hour and name of the sum. */
  #byHour = new Map<string, number>();
  #trouble: string[] = [];

  constructor(host: Remote, plan: Plan, where: Where, folder: string) {
    this.#host = host;
    this.#spare = host;
    this.#plan = plan;
    this.#where = where;
    this.#folder = folder;
  }

  get ledger() {
    return {
      counted: this.#counted,
      byHour: isForwardOnly(this.#plan) ? this.#byHour : null,
      trouble: this.#trouble,
    };
  }

  async live(): Promise<void> {
    await this.#begin();
    await this.#host.call("setClock", this.#plan.start);
    await this.#open();
    for (const step of this.#plan.steps) await this.#take(step);
    await this.#well("close");
  }

  /** The lane's own host lives on, with its clock put right. */
  async end(): Promise<void> {
    if (this.#host === this.#spare) await this.#host.call("setClock", Date.now());
    else await this.#host.kill();
  }

  /** A plan that kills has a host of its own. */
  async #begin(): Promise<void> {
    if (this.#plan.steps.some((step) => step.do === "kill")) this.#host = startHost(this.#folder, "killed");
    await this.#host.call("setZone", this.#plan.zone);
  }

  async #open(): Promise<void> {
    const { keepHistory } = this.#plan;
    const options = { where: this.#where, flushEvery: SLOW_FLUSH_MS };
    await this.#well("open", { ...options, ...(keepHistory !== undefined && { keepHistory }) });
  }

  async #take(step: Step): Promise<void> {
    if (step.do === "count") return this.#count(step);
    if (step.do === "flush") return this.#well("flush");
    if (step.do === "look") return void (await this.#host.call("look"));
    if (step.do === "set") return this.#host.call("setClock", step.at);
    if (step.do === "jump") return this.#jump(step);
    const now = await this.#host.call<number>("now");
    if (step.do === "restart") await this.#well("close");
    else {
      await this.#host.kill();
      await this.#begin();
      await this.#host.call("setClock", now);
    }
    return this.#open();
  }

  async #count({ counts }: Extract<Step, { do: "count" }>): Promise<void> {
    const before = await this.#host.call<number>("now");
    await this.#host.call("count", counts);
    const hour = Math.floor(before / HOUR);
    const sums = sumsOfCounts(counts);
    this.#counted = added(this.#counted, sums);
    // Where the hour ended in between, nobody can tell in which it was counted: then the unit is not judged by hours.
    const same = hour === Math.floor((await this.#host.call<number>("now")) / HOUR);
    for (const [name, n] of sums) {
      const key = same ? `${hour} ${name}` : "between two hours";
      this.#byHour.set(key, (this.#byHour.get(key) ?? 0) + n);
    }
  }

  async #jump({ ms, inSave }: Extract<Step, { do: "jump" }>): Promise<void> {
    if (inSave) await this.#host.call("startFlush");
    await this.#host.call("moveClock", ms);
    if (inSave) this.#note("a save under way", await this.#host.call<Outcome>("flushed"));
  }

  async #well(call: string, given?: unknown): Promise<void> {
    this.#note(call, await this.#host.call<Outcome>(call, given));
  }

  #note(call: string, { code }: Outcome): void {
    if (code !== null) this.#trouble.push(`${call} failed with ${code}`);
  }
}
