import { describe, expect, test } from "vitest";
import { smp } from "./channels.testing.ts";
import { Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve.ts";

/** A channel without a delay: what is said on it, and what the host does at its other end. */
function hostOf(recorder: Recorder) {
  const said: unknown[] = [];
  const listeners = new Map<string, (value: unknown) => void>();
  serveRecorder(recorder, {
    postMessage: (message) => void said.push(message),
    on: (event, listener) => void listeners.set(event, listener),
  });
  /** What was said since it was looked at last. */
  const heard = () => said.splice(0);
  return {
    heard,
    ask(message: unknown) {
      listeners.get("message")?.(message);
      return heard();
    },
    leave: () => listeners.get("close")?.(undefined),
  };
}

const CHANGED = { agentStats: "changed", urgent: false };
const URGENT = { agentStats: "changed", urgent: true };

function counting() {
  const recorder = new Recorder({ protocols: [smp] });
  const host = hostOf(recorder);
  return { recorder, host, count: (user: string) => recorder.server(smp, user, "smp://a").add("sent", 5) };
}

const told = (user: string, sent: number) => {
  const numbers: Record<string, number> = sent === 0 ? {} : { sent };
  return { protocol: "smp", userId: user, server: "smp://a", session: numbers, total: numbers, live: {} };
};

describe("a host that is served", () => {
  test("is told that there is an agent, of the first change, and of the first that is urgent", () => {
    const { recorder, host, count } = counting();
    expect(host.heard()).toEqual([CHANGED]);
    count("1");
    count("2");
    expect(host.heard()).toEqual([CHANGED]);
    recorder.server(smp, "1", "smp://a").add("errors");
    recorder.server(smp, "2", "smp://a").add("errors");
    expect(host.heard()).toEqual([URGENT]);
  });

  test("that comes later is told at once of what waits", () => {
    const { recorder, count } = counting();
    count("1");
    expect(hostOf(recorder).heard()).toEqual([CHANGED, CHANGED]);
    recorder.server(smp, "1", "smp://a").add("errors");
    expect(hostOf(recorder).heard()).toEqual([CHANGED, URGENT]);
  });

  test("asks for what changed, or for everything, and is answered under its number", () => {
    const { recorder, host, count } = counting();
    const { session } = recorder;
    count("1");
    count("2");
    host.heard();
    const answer = (id: number, servers: unknown) => [
      expect.objectContaining({ agentStats: "stats", id, session, servers }),
    ];
    expect(host.ask({ agentStats: "get", id: 7 })).toEqual(answer(7, [told("1", 5), told("2", 5)]));
    expect(host.ask({ agentStats: "get", id: 8 })).toEqual(answer(8, []));
    count("2");
    expect(host.heard()).toEqual([CHANGED]);
    expect(host.ask({ agentStats: "get", id: 9 })).toEqual(answer(9, [told("2", 10)]));
    expect(host.ask({ agentStats: "get", id: 10, all: true })).toEqual(answer(10, [told("1", 5), told("2", 10)]));
  });

  test("has a user forgotten and counted again, and numbers reset: each is answered with everything", () => {
    const { host, count } = counting();
    count("1");
    count("2");
    host.ask({ agentStats: "get", id: 1 });
    const servers = (message: object) => {
      const [answer, ...more] = host.ask({ id: 2, ...message });
      expect(more).toEqual([]);
      return (answer as { servers: unknown }).servers;
    };
    expect(servers({ agentStats: "forget", userId: "1" })).toEqual([told("2", 5)]);
    count("1");
    expect(servers({ agentStats: "get", all: true })).toEqual([told("2", 5)]);
    expect(servers({ agentStats: "add", userId: "1" })).toEqual([told("2", 5)]);
    count("1");
    host.heard();
    expect(servers({ agentStats: "get" })).toEqual([told("1", 5)]);
    expect(servers({ agentStats: "reset", scope: { userId: "2" } })).toEqual([told("2", 0), told("1", 5)]);
  });

  test("is not answered what is no request", () => {
    const { host, count } = counting();
    count("1");
    host.heard();
    for (const message of [null, "get", {}, { agentStats: "get" }, { agentStats: "drop", id: 1 }]) {
      expect(host.ask(message)).toEqual([]);
    }
  });

  test("hears nothing more when it is gone; and its end is nothing to the host that came after it", () => {
    const { recorder, host, count } = counting();
    const next = hostOf(recorder);
    host.heard();
    next.heard();
    host.leave();
    count("1");
    expect([host.heard(), next.heard()]).toEqual([[], [CHANGED]]);
    next.ask({ agentStats: "get", id: 1 });
    next.leave();
    count("1");
    expect([host.heard(), next.heard()]).toEqual([[], []]);
  });
});

test("what is no recorder is not served", () => {
  for (const given of [null, {}, { recordedOf: 1 }]) {
    expect(() => serveRecorder(given as never, { postMessage: () => {} })).toThrow("recorder must be a Recorder");
  }
});
