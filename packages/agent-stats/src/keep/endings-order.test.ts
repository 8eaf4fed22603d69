/** What is decided at each ending, and in which order, by a process that only plays one: `endings.test.ts` ends real ones. */
import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { beforeTheEnd } from "./endings.ts";

const REGISTRY = Symbol.for("agent-stats.endings");
const holder = globalThis as { [REGISTRY]?: unknown };
const own = holder[REGISTRY];

/** A process that lives on whatever is done to it, and tells what that was. */
class PlayedProcess extends EventEmitter {
  readonly pid = 4711;
  readonly told: string[] = [];
  readonly nextTick = queueMicrotask;

  kill(pid: number, signal: string): void {
    this.told.push(`kill ${pid} ${signal}, heard by ${this.listenerCount(signal)}`);
  }
}

let host: PlayedProcess;
beforeEach(() => {
  host = new PlayedProcess();
  delete holder[REGISTRY];
  vi.stubGlobal("process", host);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
  holder[REGISTRY] = own;
});

/** Someone with something to save, whose savings are told in their order among all that happens. */
function dying(name = "stats") {
  return {
    saveNow: () => void host.told.push(`${name} saves`),
    endNow: (how: string) => void host.told.push(`${name} ends by ${how}`),
  };
}

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"];

describe("a signal", () => {
  test.each(SIGNALS)("%s that nobody else hears: the session ends, and the process of the signal", (signal) => {
    beforeTheEnd(dying());
    host.emit(signal);
    expect(host.told).toEqual([`stats ends by ${signal}`, `kill 4711 ${signal}, heard by 0`]);
  });

  test.each(SIGNALS)("%s that the host handles: all is saved before it is told, and the session goes on", (signal) => {
    host.on(signal, () => host.told.push(`the host, among ${host.listenerCount(signal)}`));
    beforeTheEnd(dying());
    host.emit(signal);
    // While the host looks who else listens, nobody of ours does.
    expect(host.told).toEqual(["stats saves", "the host, among 1"]);
  });

  test("is heard again after the host handled one, and again before the host", async () => {
    host.on("SIGINT", () => host.told.push("the host"));
    beforeTheEnd(dying());
    for (let i = 0; i < 2; i++) {
      host.emit("SIGINT");
      await null;
      expect(host.listenerCount("SIGINT")).toBe(2);
    }
    expect(host.told).toEqual(["stats saves", "the host", "stats saves", "the host"]);
  });
});

describe("an exit", () => {
  const exit = () => {
    host.told.splice(0);
    host.emit("exit");
    return host.told;
  };

  test("by itself", () => {
    beforeTheEnd(dying());
    expect(exit()).toEqual(["stats ends by exit"]);
  });

  test.each([
    ["while the signal explains it", 29_999, "SIGTERM"],
    ["so late that the signal does not explain it", 30_000, "exit"],
  ])("after a signal that the host handled, %s", (_name, afterMs, how) => {
    const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
    host.on("SIGTERM", () => {});
    beforeTheEnd(dying());
    host.emit("SIGTERM");
    now.mockReturnValue(1_000 + afterMs);
    expect(exit()).toEqual([`stats ends by ${how}`]);
  });

  test.each([
    ["unhandledRejection", "rejection"],
    ["uncaughtException", "exception"],
  ])("by %s, also soon after a signal; but not where the host handled it and lived on", async (origin, how) => {
    host.on("SIGINT", () => {});
    beforeTheEnd(dying());
    host.emit("SIGINT");
    host.emit("uncaughtExceptionMonitor", new Error("the host's fault"), origin);
    expect(exit()).toEqual([`stats ends by ${how}`]);
    await turn();
    expect(exit()).toEqual(["stats ends by SIGINT"]);
  });
});

describe("many who have something to save", () => {
  test("are all told, once, by one listener; but not who took the registration back", () => {
    const back = beforeTheEnd(dying("closed"));
    beforeTheEnd(dying("first"));
    beforeTheEnd(dying("second"));
    back();
    host.emit("exit");
    expect(host.told).toEqual(["first ends by exit", "second ends by exit"]);
    expect(["exit", ...SIGNALS].map((event) => host.listenerCount(event))).toEqual([1, 1, 1, 1]);
  });

  test("may end others while they end", () => {
    const taken = { back: () => {} };
    beforeTheEnd({ ...dying("first"), endNow: () => taken.back() });
    taken.back = beforeTheEnd(dying("second"));
    host.emit("exit");
    expect(host.told).toEqual(["second ends by exit"]);
  });

  test("share one registry with another copy of the library: neither makes the process immune to a signal", async () => {
    beforeTheEnd(dying("ours"));
    vi.resetModules();
    const another = await import("./endings.ts");
    expect(another.beforeTheEnd).not.toBe(beforeTheEnd);
    another.beforeTheEnd(dying("theirs"));
    host.emit("SIGTERM");
    expect(host.told).toEqual(["ours ends by SIGTERM", "theirs ends by SIGTERM", "kill 4711 SIGTERM, heard by 0"]);
  });
});

test.each([
  ["no process at all", undefined],
  ["something else of that name", { env: {} }],
])("where there is %s, as in a browser, nothing is done", (_name, process) => {
  vi.stubGlobal("process", process);
  const back = beforeTheEnd(dying());
  back();
  expect(holder[REGISTRY]).toBeUndefined();
});
