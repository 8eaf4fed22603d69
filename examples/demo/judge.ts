import { type Comparison, keyIn, lossBegins, lowerBounds, sameCounts, since, upperBounds } from "./compare.ts";
import type { Evidence, Forgetting, KeyReading, Reading, RunEvidence, Verdict } from "./evidence.ts";
import type { RunEnding } from "./plan.ts";

/** How the operating system and the library are to call each ending. */
const EXPECTED: Readonly<Record<RunEnding, { code: number | null; signal: string | null; how: string }>> = {
  SIGKILL: { code: null, signal: "SIGKILL", how: "killed" },
  exception: { code: 1, signal: null, how: "exception" },
  SIGTERM: { code: null, signal: "SIGTERM", how: "SIGTERM" },
  close: { code: 0, signal: null, how: "close" },
};

/** A kill counts as one in mid-traffic when something happened this shortly before it. */
const MID_TRAFFIC_MS = 1_000;

const UPPER =
  "run by run, user by user, server by server, sent beside what the broker accepted, received beside what it " +
  "delivered; and each, with the duplicates, beside the host's own log";
const LOWER =
  "sendAttempts beside what the broker accepted, received beside what it saw acknowledged; and each, with the " +
  "duplicates, beside the host's own log";

/** Says of everything that is promised whether the evidence bears it out. Pure: the same evidence, the same verdicts. */
export function judge(evidence: Evidence): Verdict[] {
  const { runs, forgetting } = evidence;
  return [
    runsEnded(runs),
    messagesFlowed(evidence),
    sessionsTold(evidence),
    neverAbove(runs),
    ...shortfalls(evidence),
    countedOnce(runs),
    unreadable(evidence),
    controlReadable(evidence),
    forgotten(forgetting),
    forgettingControl(forgetting),
    othersUntouched(evidence),
  ];
}

function runsEnded(runs: readonly RunEvidence[]): Verdict {
  const wrong = runs.filter(({ ending, exit }) => {
    const { code, signal } = EXPECTED[ending];
    return exit.code !== code || exit.signal !== signal;
  });
  const told = runs.map(({ ending }) => ending).join(", ");
  return verdict("each run ended as it was made to end", wrong, (run) => `run ${run.run}: ${exitOf(run)}`, told);
}

const exitOf = ({ ending, exit }: RunEvidence) => `${ending} was due, but it ended with ${exit.signal ?? exit.code}`;

function messagesFlowed(evidence: Evidence): Verdict {
  const keys = evidence.runs.flatMap((run) => run.truth.map((truth) => ({ run, truth })));
  const idle = keys.filter(({ run, truth }) => {
    const both = [truth.broker.accepted, truth.broker.delivered, truth.host.attempted, truth.host.received];
    if (run.ending !== "SIGKILL") return both.some((times) => times.length === 0);
    // Before a kill: some that must be kept, or keeping nothing would do; and some just now, or it was no mid-traffic.
    const from = lossBegins(run, evidence);
    const kept = both.every((times) => times.length > since(times, from));
    return !kept || both.some((times) => since(times, run.endedAt - MID_TRAFFIC_MS) === 0);
  });
  const accepted = keys.reduce((sum, { truth }) => sum + truth.broker.accepted.length, 0);
  return verdict(
    "messages flowed on every connection up to the end of each run",
    idle,
    ({ run, truth }) => `run ${run.run}: too few of ${truth.userId} at ${truth.server}`,
    `the brokers accepted ${accepted} in all`,
  );
}

function sessionsTold({ runs, flushEveryMs }: Evidence): Verdict {
  const sessions = lastReading(runs).sessions;
  const wrong = runs.flatMap(({ run, ending }, index) => {
    const session = sessions[index];
    const how = EXPECTED[ending].how;
    const losesMs = how === "killed" ? flushEveryMs : 0;
    const right =
      session?.how === how && session.canHaveLostMs === losesMs && (session.ended === null) === (how === "killed");
    return right ? [] : [`run ${run}: ${how} and ${losesMs} ms at risk were due, the file says ${session?.how}`];
  });
  if (sessions.length !== runs.length) wrong.push(`${runs.length} sessions were due, the file has ${sessions.length}`);
  const told = sessions.map(({ how }) => how).join(", ");
  return verdict("the file tells how each session ended, and what it can have lost", wrong, (text) => text, told);
}

function neverAbove(runs: readonly RunEvidence[]): Verdict {
  const comparisons = upperBounds(runs);
  const above = comparisons.filter(({ counted, truth }) => counted > truth);
  return verdict("never above the truth", above, describe, `${UPPER}: ${comparisons.length} comparisons`);
}

function shortfalls(evidence: Evidence): Verdict[] {
  const { runs, flushEveryMs, oneSaveMs } = evidence;
  const comparisons = lowerBounds(runs, (run) => lossBegins(run, evidence));
  const killed = new Set(runs.filter(({ ending }) => ending === "SIGKILL").map(({ run }) => run));
  const tooShort = ({ counted, truth, mayMiss }: Comparison) => counted < truth - mayMiss;
  const afterKills = comparisons.filter(({ run }) => killed.has(run));
  const afterOthers = comparisons.filter(({ run }) => !killed.has(run));
  const worst = Math.max(0, ...afterKills.map(({ truth, counted }) => truth - counted));
  return [
    verdict(
      `${killed.size} kills: short by no more than was counted in the last ${flushEveryMs} ms and one save`,
      afterKills.filter(tooShort),
      describe,
      `${LOWER}: ${afterKills.length} comparisons. Largest shortfall ${worst}; a save is taken as ${oneSaveMs} ms at most`,
    ),
    verdict(
      "exception, SIGTERM, close: short by nothing",
      afterOthers.filter(tooShort),
      describe,
      `the same for these, with nothing to spare: ${afterOthers.length} comparisons`,
    ),
  ];
}

function describe({ run, userId, server, counter, counted, witness, truth, mayMiss }: Comparison): string {
  const spared = mayMiss > 0 ? `, ${mayMiss} of them at risk` : "";
  return `run ${run}, ${userId} at ${server}: ${counter} ${counted}, ${witness} ${truth}${spared}`;
}

function countedOnce(runs: readonly RunEvidence[]): Verdict {
  const wrong = runs.flatMap(({ run, reading }, index) =>
    reading.servers
      .filter((key) => {
        const before = runs[index - 1];
        return !sameCounts(key.past, (before && keyIn(before.reading, key)?.overall) ?? {});
      })
      .map((key) => `run ${run}: the past of ${key.userId} at ${key.server} is not what was overall before`),
  );
  const lost = runs.slice(1).flatMap(({ run, reading }, index) => {
    const before = runs[index]?.reading.servers ?? [];
    return before.filter((key) => !keyIn(reading, key)).map((key) => `run ${run}: ${key.userId} is gone`);
  });
  return verdict(
    "each session is in the past exactly once",
    [...wrong, ...lost],
    (text) => text,
    "after each run, the past is the overall of the run before, number by number",
  );
}

function unreadable({ runs, names, forgetting }: Evidence): Verdict {
  const scans = [...runs.map(({ scan }) => scan), forgetting.scan];
  const found = [...new Set(scans.flatMap((scan) => scan.found))];
  // A search that looked at no file finds nothing either.
  const empty = scans.filter(({ sizeBytes }) => sizeBytes === 0).map(() => "a search looked at no byte");
  const bytes = scans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return verdict(
    "no server, user, topic or counter name in any byte of the folder",
    [...found, ...empty],
    (text) => text,
    `${names.length} names, looked for after each run and at the end, in ${bytes} bytes`,
  );
}

function controlReadable({ names, control }: Evidence): Verdict {
  const missed = names.filter((name) => !control.found.includes(name));
  return verdict(
    "control: in a plaintext file the same search finds every one of them",
    missed,
    (name) => `${name} was not found`,
    `${control.found.length} of ${names.length} found in ${control.sizeBytes} bytes`,
  );
}

function forgotten({ userId, erased, after, scan, reading }: Forgetting): Verdict {
  const wrong = [
    erased === "physically" ? "" : `the library says "${erased}"`,
    (after.hits[userId] ?? 0) > 0 ? `a decrypted page names ${userId}` : "",
    after.strayServers > 0
      ? `a decrypted page names ${after.strayServers} servers that belong to nobody who is left`
      : "",
    after.pages === 0 ? "no page was looked at" : "",
    scan.found.includes(userId) ? `a file names ${userId}` : "",
    ...reading.servers.filter((key) => key.userId === userId).map(({ server }) => `the file still counts ${server}`),
  ].filter((text) => text !== "");
  return verdict(
    `after deleting ${userId}, nothing of that user is left, even for one who has the key`,
    wrong,
    (text) => text,
    `${after.pages} decrypted pages, and none names the user or a server that was only that user's`,
  );
}

function forgettingControl({ userId, before }: Forgetting): Verdict {
  const hits = before.hits[userId] ?? 0;
  const wrong = hits > 0 && before.strayServers > 0 ? [] : ["the search found nothing even before"];
  return verdict(
    "control: before the deletion the same search finds that user",
    wrong,
    (text) => text,
    `${hits} times in ${before.pages} decrypted pages`,
  );
}

function othersUntouched({ runs, forgetting }: Evidence): Verdict {
  const others = (reading: Reading) => reading.servers.filter((key) => key.userId !== forgetting.userId);
  const before = others(lastReading(runs));
  const isSame = (key: KeyReading) =>
    sameCounts(keyIn(forgetting.reading, key)?.overall ?? {}, key.overall) && Object.keys(key.overall).length > 0;
  const wrong = before.filter((key) => !isSame(key)).map(({ userId, server }) => `${userId} at ${server} changed`);
  if (before.length === 0) wrong.push("there was no other user");
  if (others(forgetting.reading).length !== before.length) wrong.push("the number of keys changed");
  const names = [...new Set(before.map(({ userId }) => userId))].join(", ");
  return verdict(
    "the other user is untouched",
    wrong,
    (text) => text,
    `${names}: ${before.length} servers, every number as before`,
  );
}

function lastReading(runs: readonly RunEvidence[]): Reading {
  return runs.at(-1)?.reading ?? { sessions: [], servers: [] };
}

/** Fails with the first few things that are wrong; else says what was looked at. */
function verdict<T>(name: string, wrong: readonly T[], describeOne: (one: T) => string, detail: string): Verdict {
  if (wrong.length === 0) return { name, ok: true, detail };
  const more = wrong.length > 3 ? `; and ${wrong.length - 3} more` : "";
  return { name, ok: false, detail: wrong.slice(0, 3).map(describeOne).join("; ") + more };
}
