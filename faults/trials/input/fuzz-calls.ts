/** Hostile calls to a recorder and its handles: none throws, and none counts anything that is no whole number. */
import { defineProtocol, Recorder } from "agent-stats";
import fc from "fast-check";
import { MARK } from "../../oracle/canary.ts";
import { anything, checkedNow, expect, type Found, type Fuzz } from "./fuzz.ts";

const SERVER = `smp://${MARK}`;
const protocol = defineProtocol("smp", {
  sent: "messages sent",
  errors: { help: "messages refused", error: true },
  connected: { help: "1 while connected", gauge: true },
});
const COUNTERS = ["sent", "errors"] as const;

const number = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -10, max: 1_000 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
  { weight: 2, arbitrary: anything },
);
const name = (names: readonly string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom<unknown>(...names) }, anything);
const step = fc.record({
  how: fc.constantFrom("add", "add", "add", "bound", "set"),
  counter: name(COUNTERS),
  gauge: name(["connected"]),
  n: number,
});

type Step = { readonly how: string; readonly counter: unknown; readonly gauge: unknown; readonly n: unknown };

/** What may be added to what stands there: said once more, in other words than the library's. */
export function mayAdd(before: number, n: unknown): n is number {
  return typeof n === "number" && Math.floor(n) === n && n >= 0 && before + n <= Number.MAX_SAFE_INTEGER;
}

export const fuzzCounting: Fuzz = async (order) => {
  let recorder = new Recorder({ protocols: [protocol] });
  const model = { sent: 0, errors: 0, connected: Number.NaN, rejected: 0 };
  let runs = 0;
  return checkedNow(order, step, (given: Step) => {
    if (++runs % 5_000 === 0) {
      recorder = new Recorder({ protocols: [protocol] });
      Object.assign(model, { sent: 0, errors: 0, connected: Number.NaN, rejected: 0 });
    }
    const handle = recorder.server(protocol, 1, SERVER);
    const { how, counter, gauge, n } = given;
    if (how === "add") handle.add(counter as never, n as never);
    else if (how === "bound") handle.counter(counter as never).add(n as never);
    else handle.set(gauge as never, n as never);
    expected(model, given);
    const { servers, rejected } = recorder.getServersStats();
    const [only] = servers;
    expect((only?.session.sent ?? 0) === model.sent, `sent is ${only?.session.sent}, and should be ${model.sent}`);
    expect((only?.session.errors ?? 0) === model.errors, `errors is ${only?.session.errors}, not ${model.errors}`);
    expect(Object.is(only?.live.connected ?? Number.NaN, model.connected), `the gauge is ${only?.live.connected}`);
    const refused = Object.values(rejected).reduce((all, each) => all + each, 0);
    expect(refused === model.rejected, `${refused} calls are told as rejected, and ${model.rejected} were`);
  });
};

function expected(
  model: { sent: number; errors: number; connected: number; rejected: number },
  { how, counter, gauge, n }: Step,
): void {
  if (how === "set") {
    if (gauge === "connected" && typeof n === "number" && Number.isFinite(n)) model.connected = n;
    else model.rejected += 1;
  } else if (counter === "sent" || counter === "errors") {
    const added = n === undefined ? 1 : n;
    if (mayAdd(model[counter], added)) model[counter] += added;
    else model.rejected += 1;
  } else model.rejected += 1;
}

/** Halves of characters are no text, and no name. */
const isWhole = (given: unknown) => typeof given === "string" && given !== "" && !/\p{Cs}/u.test(given);

/** Keys that are none: no handle of theirs throws, and none of them comes to be. */
export const fuzzKeys: Fuzz = async (order) => {
  let recorder = new Recorder({ protocols: [protocol] });
  let keys = new Map<string, number>();
  let runs = 0;
  const other = fc.oneof(
    { weight: 4, arbitrary: fc.constant<unknown>(protocol) },
    anything,
    fc.record({ name: anything, counters: anything }),
  );
  return checkedNow(order, fc.record({ of: other, userId: anything, server: anything }), ({ of, userId, server }) => {
    if (++runs % 500 === 0) [recorder, keys] = [new Recorder({ protocols: [protocol] }), new Map()];
    const handle = recorder.server(of as never, userId as never, server as never) as ReturnType<typeof recorder.server>;
    handle.add("sent");
    handle.counter("sent").add();
    handle.set("connected" as never, 1);
    const user = typeof userId === "number" ? String(userId) : userId;
    const isKey = of === protocol && isWhole(user) && isWhole(server);
    const key = isKey ? JSON.stringify([user, server]) : "";
    if (isKey) keys.set(key, (keys.get(key) ?? 0) + 2);
    const { servers } = recorder.getServersStats();
    expect(servers.length === keys.size, `there are ${servers.length} keys, and ${keys.size} were counted`);
    const found = isKey && servers.find((each) => each.userId === user && each.server === server);
    expect(!isKey || (found && found.session.sent === keys.get(key)) === true, "a key does not hold what it counted");
  });
};

/** The control: a recorder as one would write it first. The same calls make it throw, or count what is no number. */
export async function unguarded({ seed, runs }: { readonly seed: number; readonly runs: number }): Promise<Found> {
  const counts: Record<string, number> = {};
  return checkedNow({ seed, runs }, step, ({ counter, n }: Step) => {
    counts[counter as string] = (counts[counter as string] ?? 0) + ((n as number) ?? 1);
    expect(
      Object.values(counts).every((each) => Number.isSafeInteger(each) && each >= 0),
      "a counter is no whole number",
    );
  });
}
