import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { sentIn } from "./bad-input.testing.ts";
import { loadDriver } from "./drivers.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { moveAside, sqlcipherStore } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });

describeDrivers("a file that was moved away from two processes", (driver) => {
  test("is begun anew by whichever counts, although the other, idle, holds the lock of its own first session", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const open = () =>
      openAgentStats({
        store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }),
        flushEvery: 60_000,
        onProblem: () => {},
      });
    const idle = await open();
    const busy = await open();
    const [of, at] = [idle.server(smp, 1, "smp://a"), busy.server(smp, 2, "smp://b")];
    for (const server of [of, at]) server.add("sent");
    for (const stats of [idle, busy]) await stats.flush();
    await moveAside({ file });
    at.add("sent", 5);
    await expect(busy.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    await busy.flush();
    expect(await sentIn({ file, driver })).toBe(5);
    of.add("sent", 30);
    await expect(idle.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    for (const stats of [idle, busy]) await stats.close();
    expect(await sentIn({ file, driver })).toBe(35);
  });

  test("or replaced in the moment when it is opened: it is not taken for the one that came in its place", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const stats = await openAgentStats({ store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }) });
    stats.server(smp, 1, "smp://a").add("sent", 5);
    await stats.close();
    copyFileSync(file, `${file}.other`);
    const real = loadDriver(driver);
    const options = { file, keyLiteral: keyLiteral(KEY), mode: "write" } as const;
    const open = (path: string) => {
      const handle = real.open(path);
      if (path === file) {
        renameSync(file, `${file}.moved`);
        renameSync(`${file}.other`, file);
      }
      return handle;
    };
    expect(() => openFile({ ...real, open }, options)).toThrow(expect.objectContaining({ code: "STATS_MOVED" }));
    expect(await sentIn({ file, driver })).toBe(5);
  });
});
