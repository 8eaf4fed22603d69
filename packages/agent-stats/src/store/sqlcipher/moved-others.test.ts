import { join } from "node:path";
import { expect, test } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { sentIn } from "./bad-input.testing.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";
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
});
