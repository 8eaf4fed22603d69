import { describe, expect, test } from "vitest";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { isName } from "./valid.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });

describe("a handle that was asked for with what is no key", () => {
  const empty = new Map();
  test.each<[string, unknown, unknown, unknown]>([
    ["no protocol", null, 1, "smp://a"],
    ["a protocol's name", "smp", 1, "smp://a"],
    ["an object of its name", { name: "smp" }, 1, "smp://a"],
    ["half a protocol", { name: "xftp", counters: [], gauges: [] }, 1, "smp://a"],
    [
      "a protocol without a name",
      { name: "", counters: [], gauges: [], counterIndex: empty, gaugeIndex: empty },
      1,
      "a",
    ],
    ...["counters", "gauges", "counterIndex", "gaugeIndex"].map((part): [string, unknown, unknown, unknown] => [
      `a protocol whose ${part} are something else`,
      { ...smp, [part]: {} },
      1,
      "smp://a",
    ]),
    ["no user", smp, null, "smp://a"],
    ["an object for a user", smp, {}, "smp://a"],
    ["half a character for a user", smp, "\ud800", "smp://a"],
    ["half a character in a server", smp, 1, "smp://\udfff.example"],
    ["an empty server", smp, 1, ""],
  ])("%s: counts nowhere, and nothing throws", (_, protocol, userId, server) => {
    const recorder = new Recorder({ protocols: [smp] });
    const handle = recorder.server(protocol as typeof smp, userId as string, server as string);
    handle.add("sent");
    handle.counter("sent").add(2);
    handle.set("live" as never, 3);
    expect(recorder.getServersStats().servers).toEqual([]);
    expect(recorder.getServersStats().rejected.badKey).toBe(1);
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    expect(recorder.getServersStats().servers).toMatchObject([{ session: { sent: 5 } }]);
  });

  test("control: a protocol that another copy of the library made counts", () => {
    const { ...copy } = smp;
    const recorder = new Recorder();
    recorder.server(copy, 1, "smp://a").add("sent", 5);
    expect(recorder.getServersStats().servers).toMatchObject([{ session: { sent: 5 } }]);
  });

  test("whole characters of any kind are a name", () => {
    for (const name of ["a", "💬", "\u{10ffff}", "e\u0301", "\0", " "]) expect(isName(name), name).toBe(true);
  });
});
