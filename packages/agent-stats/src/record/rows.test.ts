/** What a keeper asks of a recorder: which rows there are, what they stand at, and where the session began. */
import { describe, expect, test } from "vitest";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import type { Row } from "./row.ts";

const smp = defineProtocol("smp", {
  sent: "messages sent",
  received: "messages received",
  errors: { help: "messages refused", error: true },
  connected: { help: "1 while connected", gauge: true },
  backlog: { help: "bytes waiting", gauge: true },
});

/** Two keys side by side in memory, each with numbers of its own. */
function two() {
  const recorder = new Recorder({ protocols: [smp] });
  const rows = ["smp://a", "smp://b"].map((server, i) => {
    const handle = recorder.server(smp, 1, server);
    for (const [j, counter] of (["sent", "received", "errors"] as const).entries())
      handle.add(counter, 10 * (i + 1) + j);
    handle.set("backlog", 7);
    return recorder.row(i) as Row;
  });
  const standing = () =>
    rows.map((row) => ({
      values: [...row.values()],
      past: row.past() && [...(row.past() as Float64Array)],
      began: [0, 1, 2].map((index) => row.began(index)),
      session: [0, 1, 2].map((index) => row.session(index)),
    }));
  return { recorder, rows: rows as [Row, Row], standing };
}

const ZERO = [0, 0, 0];
const A = { values: [10, 11, 12], past: null, began: ZERO, session: [10, 11, 12] };
const B = { values: [20, 21, 22], past: null, began: ZERO, session: [20, 21, 22] };

describe("a row", () => {
  test("counts its session from zero, or from where it is told to, and leaves the rows beside it alone", () => {
    const { rows, standing } = two();
    expect(standing()).toEqual([A, B]);
    rows[0].beginAt([1, 2, 3]);
    const begun = { ...A, past: [1, 2, 3], began: [1, 2, 3], session: [9, 9, 9] };
    expect(standing()).toEqual([begun, B]);
    rows[1].beginAt([20, 20, 20]);
    expect(standing()).toEqual([begun, { ...B, past: [20, 20, 20], began: [20, 20, 20], session: [0, 1, 2] }]);
    rows[0].beginAt([4, 4, 4]);
    expect(standing()[0]).toEqual({ ...A, past: [4, 4, 4], began: [4, 4, 4], session: [6, 7, 8] });
    rows[0].beginAt(null);
    rows[1].beginAt(null);
    expect(standing()).toEqual([A, B]);
  });

  test("that is reset stands at zero and began there; its gauges show on", () => {
    const { recorder, rows, standing } = two();
    rows[0].beginAt([1, 2, 3]);
    rows[0].reset();
    expect(standing()).toEqual([{ values: ZERO, past: null, began: ZERO, session: ZERO }, B]);
    expect(recorder.getServersStats().servers.map(({ live }) => live)).toEqual([{ backlog: 7 }, { backlog: 7 }]);
  });

  test("tells what it held, not what it will hold", () => {
    const { rows } = two();
    rows[0].beginAt([1, 2, 3]);
    const [values, past] = [rows[0].values(), rows[0].past()];
    rows[0].add("sent");
    rows[0].beginAt([9, 9, 9]);
    expect([[...values], [...(past ?? [])]]).toEqual([
      [10, 11, 12],
      [1, 2, 3],
    ]);
  });
});

describe("a recorder", () => {
  test("may be started from what a keeper told: its counters then hold overall numbers", () => {
    const of = (userId: string, overall: Record<string, number>) => ({
      ...{ protocol: "smp", userId, server: "smp://a" },
      overall,
    });
    const startFrom = [of("1", { sent: 5, errors: 2, unknownHere: 9 }), of("2", { received: 3 })];
    const recorder = new Recorder({ protocols: [smp], startFrom });
    recorder.server(smp, 1, "smp://a").add("sent");
    const { servers } = recorder.getServersStats();
    expect(servers.map(({ userId, session, total }) => [userId, session, total])).toEqual([
      ["1", { sent: 1 }, { sent: 6, errors: 2 }],
      ["2", {}, { received: 3 }],
    ]);
  });

  test("numbers its rows for good, and tells of each new one; of a forgotten user's there is none any more", () => {
    const recorder = new Recorder({ protocols: [smp] });
    let came = 0;
    recorder.listen(null, () => {
      came += 1;
    });
    for (const [user, server] of [
      ["1", "smp://a"],
      ["2", "smp://a"],
      ["1", "smp://b"],
      ["1", "smp://a"],
    ] as const) {
      recorder.server(smp, user, server);
    }
    expect([came, recorder.rowCount, recorder.users()]).toEqual([3, 3, ["1", "2"]]);
    expect(recorder.rows().map(({ number, userId, server }) => [number, userId, server])).toEqual([
      [0, "1", "smp://a"],
      [1, "2", "smp://a"],
      [2, "1", "smp://b"],
    ]);
    recorder.forgetUser("1");
    recorder.server(smp, "1", "smp://late");
    expect([0, 1, 2].map((number) => recorder.row(number)?.userId)).toEqual([undefined, "2", undefined]);
    expect([came, recorder.rowCount, recorder.users(), recorder.forgottenUsers()]).toEqual([3, 3, ["2"], ["1"]]);
    recorder.addUser(1);
    recorder.server(smp, 1, "smp://a");
    expect([came, recorder.rowCount, recorder.row(3)?.userId, recorder.forgottenUsers()]).toEqual([4, 4, "1", []]);
  });

  test("forgets what gauges showed, and no counter, when it is told that whoever set them is away", () => {
    const { recorder, standing } = two();
    recorder.clearGauges();
    expect(recorder.getServersStats().servers.map(({ live }) => live)).toEqual([{}, {}]);
    expect(standing()).toEqual([A, B]);
  });
});
