import { afterEach, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { startFromPast } from "./starting-sums.ts";

const smp = defineProtocol("smp", { sent: "x", received: "x" });

afterEach(() => void vi.restoreAllMocks());

/** So many keys, and after how many of them the thread had other work to do, if each takes so long. */
function started(count: number, msEach: number) {
  const recorder = new Recorder({ protocols: [smp] });
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const add = recorder.addPast.bind(recorder);
  vi.spyOn(recorder, "addPast").mockImplementation((...args) => {
    now += msEach / 2;
    return add(...args);
  });
  const keys = Array.from({ length: count }, (_, i) => ({
    ...{ protocol: "smp", userId: "1", server: `smp://${i}`, trackedSince: 0 },
    ...{ past: { sent: i, received: 1 }, open: { sent: 1, unknownHere: 5 } },
  }));
  const pauses: number[] = [];
  for (const { method } of startFromPast(recorder, keys)) {
    expect(method).toBeNull();
    pauses.push(recorder.rowCount);
  }
  const { servers } = recorder.getServersStats();
  expect(servers.map(({ total }) => total)).toEqual(keys.map((_, i) => ({ sent: i + 1, received: 1 })));
  return pauses;
}

test("the thread has its turn for other work when a while is over, not before, and not after the last key", () => {
  expect(started(1_000, 0)).toEqual([]);
  expect(started(120, 1 / 64)).toEqual([]);
  expect(started(120, 1 / 16)).toEqual([50, 100]);
  expect(started(100, 1)).toEqual([50]);
  expect(started(340, 1 / 32)).toEqual([100, 200, 300]);
  expect(started(0, 1)).toEqual([]);
});
