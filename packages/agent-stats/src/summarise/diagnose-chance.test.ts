import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { given } from "./diagnose.testing.ts";
import { diagnose, type Finding } from "./diagnose.ts";

describe("false alarms", () => {
  /** A small generator of its own: the same numbers at every run. */
  const random = (seed: number) => () => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return seed / 2 ** 32;
  };
  const drawn = (next: () => number, count: number, share: number) =>
    Array.from({ length: count }, next).filter((value) => value < share).length;
  const months = (share: number, seeds: number) =>
    Array.from({ length: seeds }, (_, seed) => {
      const next = random(seed + 1);
      const hours = Array.from({ length: 24 * 30 }, (_, hoursAgo) => {
        const all = Math.floor(next() * 12);
        const failed = drawn(next, all, share);
        return { hoursAgo, server: "a", counters: { sentDirect: all - failed, sentOtherErrs: failed } };
      });
      return diagnose(given(hours)).length;
    }).filter((count) => count > 0).length;

  test("at most one in 200 months of a server of which 2 % fail by chance; control: of 12 %, every month", () => {
    expect(months(0.02, 200)).toBeLessThanOrEqual(1);
    expect(months(0.12, 40)).toBe(40);
  });
});

describe("whatever was counted", () => {
  const counters = fc.dictionary(
    fc.constantFrom("sent", "sendErrors", "sendAttempts", "recvErrs", "x", "__proto__"),
    fc.maxSafeNat(),
  );
  const counted = fc.array(
    fc.record({
      hoursAgo: fc.integer({ min: -50, max: 3_000 }),
      server: fc.constantFrom("a", "b", "c", ""),
      userId: fc.constantFrom("1", "2", ""),
      protocol: fc.constantFrom("smp", "chat", "ntf", "constructor"),
      counters,
    }),
    { maxLength: 40 },
  );

  test("findings are in order, their shares are shares, and their dates are not turned around", () => {
    fc.assert(
      fc.property(counted, (entries) => {
        const findings = diagnose(given(entries));
        const weights = findings.map(({ weight }) => weight);
        expect(weights).toEqual(weights.toSorted((a, b) => b - a));
        for (const finding of findings) {
          expect(finding.weight).toBeGreaterThanOrEqual(0);
          expect(finding.weight).toBeLessThanOrEqual(100);
          if (finding.kind !== "failing") continue;
          expect(finding.failed).toBeLessThanOrEqual(finding.outcomes);
          expect(finding.reasons.reduce((sum, { count }) => sum + count, 0)).toBe(finding.failed);
          if (finding.until) expect(finding.until.getTime()).toBeGreaterThanOrEqual(finding.since.getTime());
          expect(finding.others.failing).toBeLessThanOrEqual(finding.others.servers);
        }
      }),
    );
  });

  const sorted = (findings: readonly Finding[]) =>
    findings.toSorted((a, b) => (a.kind === b.kind ? a.weight - b.weight : a.kind < b.kind ? -1 : 1));

  test("the order in which servers are read changes nothing", () => {
    fc.assert(
      fc.property(counted, (entries) => {
        const one = given(entries);
        const turned = {
          ...one,
          servers: { ...one.servers, servers: one.servers.servers.toReversed() },
          timeline: one.timeline.toReversed(),
        };
        const [found, foundTurned] = [sorted(diagnose(one)), sorted(diagnose(turned))];
        expect(foundTurned.map(({ kind }) => kind)).toEqual(found.map(({ kind }) => kind));
        // A sum of fractions differs in its last digit when it is added up in another order.
        for (const [i, { weight }] of found.entries())
          expect(Math.abs((foundTurned[i]?.weight ?? Number.NaN) - weight)).toBeLessThanOrEqual(
            Math.abs(weight) * 1e-9,
          );
      }),
    );
  });
});
