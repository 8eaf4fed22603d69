/**
 * A process that deletes a user is killed at every step. After a restart the user is wholly there or wholly gone, and
 * never comes back once the deletion was acknowledged. AGENT_STATS_KILLS=200 kills each wiring so often.
 */
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeDrivers } from "../store/sqlcipher/files.testing.ts";
import {
  copied,
  hostsFile,
  judge,
  ownFile,
  pagesThatName,
  type State,
  smp,
  template,
  type Wiring,
  wholeOf,
} from "./deletion-judge.testing.ts";
import { GONE, type Kill, killsFor, type Outcome, runProgram, STAYS, sooner } from "./deletion-kills.testing.ts";
import { openAgentStats } from "./open.ts";

const KILLS = Number(process.env.AGENT_STATS_KILLS ?? 10);
/** So many processes run at once. */
const AT_ONCE = 3;
async function inParallel<T>(jobs: readonly T[], run: (job: T) => Promise<void>): Promise<void> {
  const rest = [...jobs];
  const work = async () => {
    for (let job = rest.shift(); job !== undefined; job = rest.shift()) await run(job);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const MINUTES = 60_000;
const WIRINGS: readonly [name: string, wiring: Wiring][] = [
  ["in the keeper's own file", { program: "in-process", store: ownFile }],
  ["in a transaction of the host's", { program: "host's transaction", store: hostsFile }],
  ["by a trigger of the host's", { program: "trigger", store: hostsFile }],
];

describeDrivers("a deletion that is killed", (driver) => {
  test.each(WIRINGS)("%s", { timeout: 20 * MINUTES }, async (name, wiring) => {
    const before = await template(wiring, driver);
    expect(pagesThatName(GONE, before), "control: the pages name the user").toBeGreaterThan(0);
    const whole = await wholeOf(wiring, driver, before);
    const free = await runProgram(wiring.program, copied(before), driver, null);
    expect(free.erased).not.toBeNull();
    await killEach(
      `${name}, ${free.deletion.statements} statements, ${driver}`,
      killsFor(free, KILLS),
      async (kill) => {
        const file = copied(before);
        const outcome = await runProgram(wiring.program, file, driver, kill);
        return [outcome, await judge(wiring, driver, file, whole, outcome)];
      },
    );
  });

  const OWN: Wiring = { program: "in-process", store: ownFile };

  test("while another process counts for that user", { timeout: 20 * MINUTES }, async () => {
    const before = await template(OWN, driver);
    const whole = await wholeOf(OWN, driver, before);
    const free = await runProgram("in-process", copied(before), driver, null);
    await killEach(`while another process counts, ${driver}`, killsFor(free, KILLS), async (kill) => {
      const file = copied(before);
      const other = await openAgentStats({ protocols: [smp], store: ownFile(file, driver), flushEvery: 60_000 });
      const handles = [GONE, STAYS].map((user) => other.server(smp, `${user}-user`, `smp://${user}-other`));
      const program = running(runProgram("in-process", file, driver, kill));
      let counted = 0;
      const count = async () => {
        counted += 1;
        for (const handle of handles) handle.add("sent");
        other.server(smp, `${GONE}-user`, `smp://${GONE}-late`).add("sent");
        await other.flush();
      };
      while (program.isRunning()) {
        await count();
        await turn();
      }
      const outcome = await program.outcome;
      for (let i = 0; i < 3; i++) await count();
      const sees = (await other.getServersStats()).servers.some(({ userId }) => userId === `${GONE}-user`);
      if (outcome.erased === "physically") expect(pagesThatName(GONE, file)).toBe(0);
      await other.close();
      const others = ["other", "late"].flatMap((name) => {
        const server = `smp://${GONE}-${name}`;
        return [
          [`key ${server}`, 1] as const,
          [`${server} sent`, counted] as const,
          [`hours ${server}`, counted] as const,
        ];
      });
      const state = await judge(OWN, driver, file, { ...whole, ...Object.fromEntries(others) }, outcome);
      expect(sees, "what the other process shows").toBe(state === "whole");
      return [outcome, state];
    });
  });

  test("in another process that counts for that user: it is gone all the same", { timeout: 20 * MINUTES }, async () => {
    const before = await template(OWN, driver);
    const patience = 100;
    const free = await runProgram("counting", copied(before), driver, null, { patience });
    const all = { statements: Math.min(free.all.statements, 200), tookMs: Math.min(free.all.tookMs, 100) };
    const kills = killsFor({ ...free, deletion: all, all }, KILLS);
    const run = async (kill: Kill): Promise<readonly [Outcome, State]> => {
      const file = copied(before);
      const deleter = await openAgentStats({ protocols: [smp], store: ownFile(file, driver), flushEvery: 60_000 });
      const deletions: Promise<{ readonly erased: string }>[] = [];
      const onBegun = () => void deletions.push(deleter.deleteUser(`${GONE}-user`));
      const { killed } = await runProgram("counting", file, driver, kill, { onBegun, patience });
      const [{ erased } = { erased: null }] = await Promise.all(deletions);
      const shown = (await deleter.getServersStats()).servers.map(({ userId }) => userId);
      expect(shown).not.toContain(`${GONE}-user`);
      await deleter.flush();
      await deleter.close();
      const outcome: Outcome = { ...free, killed, erased };
      return [outcome, await judge(OWN, driver, file, {}, outcome)];
    };
    await killEach(`of another process that counts, ${driver}`, kills, run, ["gone", "acknowledged"]);
  });

  test("control: one that is no transaction is found half done", { timeout: 20 * MINUTES }, async () => {
    const host: Wiring = { program: "without a transaction", store: hostsFile };
    const before = await template(host, driver);
    const whole = await wholeOf({ ...host, program: "in-process" }, driver, before);
    const free = await runProgram("without a transaction", copied(before), driver, null);
    expect(free.all.statements).toBe(3);
    const states: boolean[] = [];
    for (let statement = 1; statement <= free.all.statements; statement++) {
      const file = copied(before);
      const outcome = await runProgram("without a transaction", file, driver, { statement, when: "after" });
      states.push(
        await judge(host, driver, file, whole, outcome).then(
          () => true,
          () => false,
        ),
      );
    }
    expect(states).toContain(false);
  });
});

/** Kills at every point, and says what became of it; every state that is expected must be among them. */
async function killEach(
  name: string,
  kills: readonly Kill[],
  run: (kill: Kill) => Promise<readonly [Outcome, State]>,
  expected: readonly (State | "acknowledged")[] = ["whole", "gone", "acknowledged"],
): Promise<void> {
  const seen = { killed: 0, whole: 0, gone: 0, acknowledged: 0 };
  const once = async (kill: Kill): Promise<void> => {
    const [outcome, state] = await run(kill).catch((error: unknown) => {
      throw Object.assign(error as Error, { message: `${JSON.stringify(kill)}: ${(error as Error).message}` });
    });
    // It was over before its death was due.
    if (!outcome.killed) return once(sooner(kill));
    seen.killed += 1;
    seen[state] += 1;
    if (outcome.erased !== null) seen.acknowledged += 1;
  };
  await inParallel(kills, once);
  console.log(`kills ${name}: ${JSON.stringify(seen)}`);
  expect(seen.killed).toBe(kills.length);
  for (const state of expected) expect(seen[state]).toBeGreaterThan(0);
}

function running<T>(outcome: Promise<T>): { readonly outcome: Promise<T>; isRunning(): boolean } {
  let runs = true;
  const done = () => {
    runs = false;
  };
  outcome.then(done, done);
  return { outcome, isRunning: () => runs };
}
