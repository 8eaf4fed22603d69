import { describe, expect, test } from "vitest";
import { mqtt } from "../agents/mqtt-protocol.ts";
import { ntf, smp, xftp } from "../agents/simplex-protocols.ts";
import { defineProtocol } from "../record/protocol.ts";
import { activitiesOf } from "./activities.ts";

describe("what an agent does", () => {
  test.each([smp, xftp, ntf, mqtt])(
    "every counter of failures of $name tells of one activity",
    ({ name, counters }) => {
      const names = counters.map((counter) => counter.name);
      const activities = activitiesOf(name, names);
      const told = activities.flatMap(({ failures, losses }) => [...failures.map(({ counter }) => counter), ...losses]);
      expect(new Set(told).size).toBe(told.length);
      // That the broker says goodbye is no failure of its own: what it ends is counted as lost.
      const failures = counters.filter(({ error }) => error).map((counter) => counter.name);
      expect(told.toSorted()).toEqual(failures.filter((counter) => counter !== "brokerDisconnects").toSorted());
      for (const { attempts, successes } of activities) {
        for (const counter of [...attempts, ...successes]) expect(names).toContain(counter);
        const attemptsOf = counters.filter((counter) => attempts.includes(counter.name)).map((c) => c.attemptsOf);
        expect(attemptsOf.toSorted()).toEqual(successes.filter((s) => attemptsOf.includes(s)).toSorted());
      }
    },
  );

  test("is guessed from names, and known from a definition", () => {
    expect(activitiesOf("chat", ["sent", "sendAttempts", "sendQuotaErrors", "sendErrors"])).toMatchObject([
      {
        name: "send",
        successes: ["sent"],
        attempts: ["sendAttempts"],
        failures: [
          { counter: "sendQuotaErrors", reason: "QUOTA" },
          { counter: "sendErrors", reason: "OTHER" },
        ],
      },
    ]);
    const own = defineProtocol("own", {
      delivered: "delivered",
      handed: { help: "handed over", attemptsOf: "delivered" },
      deliverTimeouts: { help: "not in time", error: true },
    });
    expect(activitiesOf("own", [], own)).toMatchObject([
      { successes: ["delivered"], attempts: ["handed"], failures: [{ counter: "deliverTimeouts" }] },
    ]);
  });
});
