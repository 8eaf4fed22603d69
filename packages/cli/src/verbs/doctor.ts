import type { ServersStats } from "agent-stats";
import { diagnose, type Finding, type Speaker, type Told, tell } from "agent-stats/diagnose";
import type { StatsKey } from "agent-stats/sqlcipher";
import type { CliContext, Terminal } from "../context.ts";
import { EXIT } from "../errors.ts";
import type { DoctorFlags } from "../flags-of-verbs.ts";
import { keyFor, openView } from "../source.ts";
import { printable, wrapName, wrapWords } from "../text/cells.ts";
import { serverNames } from "../text/names.ts";
import { painter } from "../text/paint.ts";
import { plural } from "../text/plural.ts";

const DAY_MS = 86_400_000;
const LOOK_BACK_DAYS = 30;

/** `agent-stats doctor`: what is wrong, since when, and by which numbers. Exit code 1 when it finds something. */
export async function doctor(this: CliContext, flags: DoctorFlags): Promise<void> {
  const lookBackDays = flags.days ?? LOOK_BACK_DAYS;
  const key = await keyFor(flags, this);
  const { servers, timeline } = await readAll(flags, key);
  const inFile = await fileFindings(flags, key);
  const now = new Date();
  const { sessions } = servers;
  const inNumbers = diagnose({ servers, sessions, timeline, now, lookBackMs: lookBackDays * DAY_MS });
  const findings = [...inFile, ...inNumbers];
  const checkup = { now, lookBackDays, servers, findings };
  this.process.stdout.write(
    flags.json ? `${JSON.stringify(doctorJson(checkup))}\n` : doctorText(checkup, this.terminal),
  );
  if (findings.length > 0) this.process.exitCode = EXIT.other;
}

async function readAll(flags: DoctorFlags, key: StatsKey) {
  const view = await openView(flags, key);
  try {
    // All of history: what goes on may have begun long ago.
    const range = { by: "hour", from: new Date(0) } as const;
    return { servers: await view.getServersStats(), timeline: await view.getTimeline(range) };
  } finally {
    await view.close();
  }
}

/** Every page is read for it: half a second at that size. */
const LARGEST_TO_VERIFY_BYTES = 64 * 1024 * 1024;

/** What `agent-stats verify` finds of the file itself, without what may be harmless. */
async function fileFindings({ db, driver }: DoctorFlags, key: StatsKey): Promise<FileFinding[]> {
  const { statSync } = await import("node:fs");
  if (statSync(db).size > LARGEST_TO_VERIFY_BYTES) return [];
  const { verifyFile } = await import("agent-stats/sqlcipher");
  const { findings } = await verifyFile({ file: db, key, thread: "same", ...(driver !== undefined && { driver }) });
  return findings
    .filter(({ isCertain }) => isCertain)
    .map(({ code, count, sentence }) => ({ kind: "file", weight: 100, code, count, sentence }));
}

/** Something is wrong with the file itself. */
export interface FileFinding {
  readonly kind: "file";
  readonly weight: number;
  readonly code: string;
  readonly count: number;
  readonly sentence: string;
}

/** What was looked at, and what was found. */
export interface Checkup {
  readonly now: Date;
  readonly lookBackDays: number;
  readonly servers: ServersStats;
  readonly findings: readonly (Finding | FileFinding)[];
}

/** What `--json` prints: each finding with its sentence, and how much was looked at. */
export function doctorJson({ now, lookBackDays, servers, findings }: Checkup) {
  const speaker = speakerFor(servers, now);
  return {
    now,
    lookBackDays,
    checked: { servers: countServers(servers), sessions: servers.sessions.length },
    findings: findings.map((finding) => ({ ...finding, sentence: plain(toldOf(finding, speaker).sentence) })),
  };
}

const INDENT = "    ";

/** What is shown to people. */
export function doctorText({ now, lookBackDays, servers, findings }: Checkup, { width, colour }: Terminal): string {
  const paint = painter(colour);
  const speaker = speakerFor(servers, now);
  const lines = findings.flatMap((finding, index) => {
    const { sentence, numbers } = toldOf(finding, speaker);
    const mark = `${String(index + 1).padStart(2)}  `;
    const told = wrapWords(sentence, width - mark.length).flatMap((line) => wrapName(line, width - mark.length));
    const behind = numbers.flatMap((line) =>
      wrapWords(line, width - INDENT.length).flatMap((part) => wrapName(part, width - INDENT.length)),
    );
    return [
      ...(index > 0 ? [""] : []),
      ...told.map((line, i) => (i === 0 ? paint("quiet", mark) : INDENT) + paint("warning", line)),
      ...behind.map((line) => INDENT + paint("quiet", line)),
    ];
  });
  const lookedAt = `${plural(countServers(servers), "server")} and ${plural(servers.sessions.length, "session")}`;
  const verdict =
    findings.length > 0
      ? `${plural(findings.length, "finding")}; looked at ${lookedAt}, ${plural(lookBackDays, "day")} back.`
      : `Nothing is wrong: looked at ${lookedAt}, ${plural(lookBackDays, "day")} back.`;
  const last = wrapWords(verdict, width).map((line) => paint(findings.length > 0 ? "plain" : "good", line));
  return `${[...lines, ...(findings.length > 0 ? [""] : []), ...last].join("\n")}\n`;
}

function toldOf(finding: Finding | FileFinding, speaker: Speaker): Pick<Told, "sentence" | "numbers"> {
  if (finding.kind === "file") {
    const sentence = finding.sentence.replace(/\.$/, "");
    return { sentence, numbers: [`${finding.code}: see agent-stats verify, and salvage for what can still be read`] };
  }
  const { sentence, numbers, servers } = tell(finding, speaker);
  const more = finding.kind === "crashes" ? ["see agent-stats sessions"] : serverLines(servers);
  return { sentence, numbers: [...numbers, ...more] };
}

/** More names than this are read by nobody. */
const NAMED = 5;

function serverLines(servers: readonly string[]): string[] {
  const lines = servers.slice(0, NAMED).map((server) => printable(server));
  return servers.length > NAMED ? [...lines, `and ${servers.length - NAMED} more: see --json`] : lines;
}

function speakerFor({ servers }: ServersStats, now: Date) {
  return { now, nameOf: serverNames(new Set(servers.map(({ server }) => server))) };
}

function countServers({ servers }: ServersStats): number {
  return new Set(servers.map(({ server }) => server)).size;
}

/** Spaces that hold words together are for lines that are wrapped. */
function plain(sentence: string): string {
  return sentence.replaceAll("\u00a0", " ");
}
