import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activitiesOf } from "./activities.ts";
import { given, hourly } from "./diagnose.testing.ts";
import { diagnose } from "./diagnose.ts";
import { failedIn, ownOf } from "./failures.ts";
import type { Numbers } from "./numbers.ts";

const CHAT = { protocol: "chat" };
const failuresOf = (counters: readonly string[], counted: readonly Numbers[]) =>
  activitiesOf("chat", ["sent", ...counters], undefined, counted).flatMap(({ failures }) => failures);
const includedBy = (counters: readonly string[], counted: readonly Numbers[]) =>
  Object.fromEntries(failuresOf(counters, counted).map(({ counter, includes }) => [counter, includes.toSorted()]));

describe("a counter that counts all errors, beside counters of some", () => {
  const all = hourly(99, 0, "a", { sent: 50, sendErrors: 10, sendQuotaErrors: 7, sendAuthErrors: 2 }, CHAT);

  test("is not added to them: what it has more is told as the rest of it", () => {
    expect(diagnose(given(all))).toMatchObject([
      {
        failed: 1_000,
        outcomes: 6_000,
        reasons: [
          { reason: "QUOTA", counter: "sendQuotaErrors", count: 700, includes: [] },
          { reason: "AUTH", counter: "sendAuthErrors", count: 200 },
          { reason: "OTHER", counter: "sendErrors", count: 100, includes: ["sendQuotaErrors", "sendAuthErrors"] },
        ],
        users: [{ failed: 1_000, outcomes: 6_000 }],
      },
    ]);
  });

  test("control: one hour of one user at any server in which it is less than they are shows that it stands beside", () => {
    const proof = { hoursAgo: 3, server: "b", userId: "2", counters: { sendErrors: 2, sendAuthErrors: 3 }, ...CHAT };
    const [finding] = diagnose(given([...all, proof]));
    expect(finding).toMatchObject({ server: "a", failed: 1_900, outcomes: 6_900 });
    expect(finding).toMatchObject({ reasons: [{ counter: "sendErrors", count: 1_000, includes: [] }, {}, {}] });
  });

  test("is known to stand beside them where the definition says so", () => {
    const counters = { sent: 50, sendErrors: 10, sendQuotaErrors: 7 };
    expect(diagnose(given(hourly(9, 0, "a", counters, { protocol: "mqtt" })))).toMatchObject([{ failed: 170 }]);
  });

  test("may be one of several, one within the other, or say so itself", () => {
    const nested = ["sendErrors", "sendNetworkErrors", "sendNetworkTimeoutErrors", "sendQuotaErrors"];
    const numbers = { sendErrors: 10, sendNetworkErrors: 6, sendNetworkTimeoutErrors: 5, sendQuotaErrors: 3 };
    expect(includedBy(nested, [numbers])).toEqual({
      sendErrors: ["sendNetworkErrors", "sendQuotaErrors"],
      sendNetworkErrors: ["sendNetworkTimeoutErrors"],
      sendNetworkTimeoutErrors: [],
      sendQuotaErrors: [],
    });
    const failures = failuresOf(nested, [numbers]);
    expect(failedIn(numbers, failures)).toBe(10);
    expect(failures.map((failure) => ownOf(numbers, failure))).toEqual([1, 1, 5, 3]);
    // The inner one stands beside: the outer one holds both.
    expect(includedBy(nested, [{ ...numbers, sendNetworkErrors: 1 }])).toMatchObject({
      sendErrors: ["sendNetworkErrors", "sendNetworkTimeoutErrors", "sendQuotaErrors"],
      sendNetworkErrors: [],
    });
    expect(includedBy(["sendAllErrors", "sendErrors"], [])).toEqual({ sendAllErrors: ["sendErrors"], sendErrors: [] });
  });

  test("whatever is counted, none is told that was not, and none twice that is counted twice", () => {
    const reasons = fc.array(fc.record({ quota: fc.nat(9), auth: fc.nat(9), rest: fc.nat(9) }), { minLength: 1 });
    fc.assert(
      fc.property(reasons, (hours) => {
        const names = ["sendErrors", "sendQuotaErrors", "sendAuthErrors"];
        const whole = hours.map(({ quota, auth, rest }) => ({
          ...{ sendErrors: quota + auth + rest, sendQuotaErrors: quota, sendAuthErrors: auth },
        }));
        const beside = hours.map(({ quota, auth, rest }) => ({
          ...{ sendErrors: rest, sendQuotaErrors: quota, sendAuthErrors: auth },
        }));
        for (const [i, { quota, auth, rest }] of hours.entries()) {
          expect(failedIn(whole[i] as Numbers, failuresOf(names, whole))).toBe(quota + auth + rest);
          expect(failedIn(beside[i] as Numbers, failuresOf(names, beside))).toBeLessThanOrEqual(quota + auth + rest);
        }
      }),
    );
  });
});
