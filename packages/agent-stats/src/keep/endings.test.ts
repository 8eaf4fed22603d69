import { join } from "node:path";
import { readAgentStats } from "agent-stats";
import { sqlcipherReader } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { startChild } from "./child.testing.ts";

/** A child that counts 1000 just before its end: nothing but the ending can save them. */
const COUNTED = "const stats = await open(); count(stats);";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** What the file holds of `sent`, over all servers. */
  readonly saved: number;
  /** How each session ended, oldest first. */
  readonly how: readonly string[];
  readonly canHaveLostMs: readonly number[];
}

const BY_ITSELF = { code: 0, signal: null, stderr: "" };

/** Runs a child to its end, sending it a signal once it is ready, and looks at what it left. */
async function end(driver: DriverName, program: string, signal?: NodeJS.Signals): Promise<Ended> {
  const folder = temporaryFolder();
  const file = join(folder, "stats.db");
  const child = startChild(program, file, driver);
  if (signal) {
    await child.ready();
    child.process.kill(signal);
  }
  const ended = await child.ended;
  return { ...ended, ...(await look(file, driver)) };
}

async function look(file: string, driver: DriverName): Promise<Pick<Ended, "saved" | "how" | "canHaveLostMs">> {
  const stats = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
  const { servers, sessions } = await stats.getServersStats();
  await stats.close();
  return {
    saved: servers.reduce((sum, { overall }) => sum + (overall.sent ?? 0), 0),
    how: sessions.map(({ how }) => how),
    canHaveLostMs: sessions.map((session) => session.canHaveLostMs),
  };
}

describeDrivers("endings", (driver) => {
  describe.concurrent("nothing is lost, the session says how it ended, and the process ends as it would have", () => {
    const endings: [ending: string, program: string, expected: Partial<Ended>][] = [
      ["close", `${COUNTED} await stats.close();`, { code: 0, how: ["close"] }],
      ["an empty event loop", COUNTED, { code: 0, how: ["exit"] }],
      ["process.exit", `${COUNTED} process.exit(7);`, { code: 7, how: ["exit"] }],
      ["an exit code", `${COUNTED} process.exitCode = 8;`, { code: 8, how: ["exit"] }],
      ["process.exit at once after close", `${COUNTED} stats.close(); process.exit(9);`, { code: 9 }],
      ["process.exit during close", `${COUNTED} stats.close(); setImmediate(() => process.exit(9));`, { code: 9 }],
      [
        "process.exit at the end of close",
        `${COUNTED} stats.close(); setTimeout(() => process.exit(9), 8);`,
        { code: 9 },
      ],
      [
        "process.exit while a flush is under way",
        `${COUNTED} stats.flush(); await null; process.exit(0);`,
        { how: ["exit"] },
      ],
      [
        "an exception",
        `${COUNTED} setTimeout(() => { throw new Error("the host's fault") }); stayAlive();`,
        { code: 1, how: ["exception"], stderr: expect.stringContaining("the host's fault") as unknown as string },
      ],
      [
        "a rejection",
        `${COUNTED} Promise.reject(new Error("the host's fault")); stayAlive();`,
        { code: 1, how: ["rejection"], stderr: expect.stringContaining("the host's fault") as unknown as string },
      ],
      [
        "an exception that the host logs before it exits",
        `process.on("uncaughtException", () => process.exit(3));
         ${COUNTED} setTimeout(() => { throw new Error("x") }); stayAlive();`,
        { code: 3, how: ["exception"] },
      ],
      [
        "an exception that the host handles ends nothing",
        `process.on("uncaughtException", () => setTimeout(() => { count(stats); process.exit(0) }, 20));
         ${COUNTED} setTimeout(() => { throw new Error("x") }); stayAlive();`,
        { code: 0, how: ["exit"], saved: 2000 },
      ],
      [
        "a rejection that the host handles ends nothing",
        `process.on("unhandledRejection", () => setTimeout(() => { count(stats); process.exit(0) }, 20));
         ${COUNTED} Promise.reject(new Error("x")); stayAlive();`,
        { code: 0, how: ["exit"], saved: 2000 },
      ],
      [
        "two keepers in one process",
        `${COUNTED} const other = await open(); count(other, 500); process.exit(0);`,
        { code: 0, how: ["exit", "exit"], saved: 1500 },
      ],
      [
        "counting while the process exits",
        `process.on("exit", () => count(stats, 1)); const stats = await open(); count(stats, 999);`,
        { code: 0, how: ["exit"] },
      ],
    ];
    test.each(endings)("%s", async (_, program, expected) => {
      const ended = await end(driver, program);
      expect(ended).toMatchObject({ signal: null, saved: 1000, stderr: "", ...expected });
      expect(ended.canHaveLostMs.every((ms) => ms === 0)).toBe(true);
      expect(ended.how).toHaveLength(expected.how?.length ?? 1);
    });

    const asked = [
      ["a reset", "stats.reset();"],
      ["a reset of a user", "stats.reset({ userId: 1 });"],
      ["a deletion", "stats.deleteUser(1);"],
      ["a reset behind other work", "stats.flush(); stats.getServersStats(); stats.reset();"],
      ["a deletion behind other work", "stats.getTimeline(); stats.flush(); stats.deleteUser(1);"],
    ] as const;
    test.each(asked)("%s that was asked for before the process exits is done", async (_, ask) => {
      const ended = await end(driver, `${COUNTED} await stats.flush(); count(stats); ${ask} process.exit(0);`);
      expect(ended).toMatchObject({ code: 0, stderr: "", saved: 0, how: ["exit"] });
    });

    test("control: SIGKILL loses what was not saved, and the session says how much that can be", async () => {
      const ended = await end(driver, `${COUNTED} stayAlive(); ready();`, "SIGKILL");
      expect(ended).toMatchObject({ signal: "SIGKILL", saved: 0, how: ["killed"], canHaveLostMs: [60_000] });
    });

    test("control: what was flushed before SIGKILL is kept", async () => {
      const ended = await end(driver, `${COUNTED} await stats.flush(); count(stats); stayAlive(); ready();`, "SIGKILL");
      expect(ended).toMatchObject({ signal: "SIGKILL", saved: 1000, how: ["killed"], canHaveLostMs: [60_000] });
    });
  });

  describe.concurrent.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s", (signal) => {
    test("ends a process that does not listen, by that signal", async () => {
      const ended = await end(driver, `${COUNTED} stayAlive(); ready();`, signal);
      expect(ended).toMatchObject({ code: null, signal, stderr: "", saved: 1000, how: [signal], canHaveLostMs: [0] });
    });

    test("is the reason where a host that listens exits", async () => {
      const ended = await end(
        driver,
        `${COUNTED} process.on("${signal}", () => process.exit(5)); stayAlive(); ready();`,
        signal,
      );
      expect(ended).toMatchObject({ code: 5, signal: null, saved: 1000, how: [signal] });
    });
  });

  describe.concurrent("a signal", () => {
    test("ends a process with two keepers that does not listen", async () => {
      const ended = await end(driver, `${COUNTED} count(await open(), 500); stayAlive(); ready();`, "SIGTERM");
      expect(ended).toMatchObject({ code: null, signal: "SIGTERM", saved: 1500, how: ["SIGTERM", "SIGTERM"] });
    });

    const listeners = ["on", "once"].flatMap((on) => [
      [on, "before", (listener: string) => `process.${on}("SIGTERM", ${listener}); ${COUNTED}`] as const,
      [on, "after", (listener: string) => `${COUNTED} process.${on}("SIGTERM", ${listener});`] as const,
    ]);
    test.each(listeners)(
      "is the reason where a host exits that listens by %s, since %s",
      async (_on, _since, listen) => {
        const ended = await end(driver, `${listen("() => process.exit(5)")} stayAlive(); ready();`, "SIGTERM");
        expect(ended).toMatchObject({ code: 5, signal: null, saved: 1000, how: ["SIGTERM"] });
      },
    );

    test.each(listeners)("leaves a host time that listens by %s, since %s", async (_on, _since, listen) => {
      const slowly = "() => setTimeout(() => { count(stats); process.exit(6) }, 50)";
      const ended = await end(driver, `${listen(slowly)} stayAlive(); ready();`, "SIGTERM");
      expect(ended).toMatchObject({ code: 6, signal: null, saved: 2000, how: ["SIGTERM"] });
    });

    // As popular libraries for cleaning up do: they end the process only if nobody else listens.
    const polite = `const listener = () => {
        if (process.listenerCount("SIGTERM") > 1) return;
        process.off("SIGTERM", listener);
        process.kill(process.pid, "SIGTERM");
      };
      process.on("SIGTERM", listener);`;
    test.each([
      ["before", `${polite} ${COUNTED}`],
      ["after", `${COUNTED} ${polite}`],
    ])("ends a process in which a library waits for it to be alone, since %s", async (_, program) => {
      const ended = await end(driver, `${program} stayAlive(); ready();`, "SIGTERM");
      expect(ended).toMatchObject({ code: null, signal: "SIGTERM", saved: 1000 });
    });
  });

  test("a host that listens to a signal and goes on lives, and what was counted until then is saved", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const listen = `process.on("SIGTERM", () => setTimeout(ready));`;
    const child = startChild(`${listen} ${COUNTED} stayAlive(); ready();`, file, driver);
    await child.ready();
    const handled = child.ready();
    child.process.kill("SIGTERM");
    await handled;
    expect(await look(file, driver)).toMatchObject({ saved: 1000, how: ["running"] });
    child.process.kill("SIGKILL");
    expect(await child.ended).toMatchObject({ signal: "SIGKILL" });
    expect(await look(file, driver)).toMatchObject({ saved: 1000, how: ["killed"] });
  });

  describe.concurrent("process.exit while the file is being opened", () => {
    const counted = `const recorder = new Recorder({ protocols: [smp] }); count(recorder);
      keepStats({ agent: recorder, store: store(), flushEvery: 60_000 });`;
    test.each([
      ["at once", "process.exit(0);"],
      ["a moment later", "await null; await null; process.exit(0);"],
      ["in the next turn", "setImmediate(() => process.exit(0));"],
      ["in the middle", "setTimeout(() => process.exit(0), 20);"],
      ["soon after", "setTimeout(() => process.exit(0), 60);"],
    ])("%s", async (_, exit) => {
      const ended = await end(driver, `${counted} ${exit}`);
      expect(ended).toMatchObject({ ...BY_ITSELF, saved: 1000, how: ["exit"], canHaveLostMs: [0] });
    });
  });

  test("a signal that the host handles, at any moment of a start, doubles nothing of the past", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const program = `
      process.on("SIGTERM", () => {});
      ${COUNTED} await stats.close();
      for (let i = 0; i < 12; i++) {
        const opening = open({ startFrom: "past" });
        setTimeout(() => process.kill(process.pid, "SIGTERM"), i * 3);
        const next = await opening;
        await new Promise((resolve) => setTimeout(resolve, 20));
        count(next, 1);
        const sum = next.recorder.getServersStats().servers.reduce((all, { total }) => all + total.sent, 0);
        if (sum !== 1001 + i) throw new Error("the past was loaded as " + sum);
        await next.close();
      }`;
    expect(await startChild(program, file, driver).ended).toMatchObject(BY_ITSELF);
    expect(await look(file, driver)).toMatchObject({ saved: 1012, how: Array(13).fill("close") });
  });

  test("a process that ended leaves the database, and no other file", async () => {
    const folder = temporaryFolder();
    const child = startChild(`${COUNTED} process.exit(0);`, join(folder, "stats.db"), driver);
    await child.ended;
    expect(Object.keys(bytesIn(folder))).toEqual(["stats.db"]);
  });
});
