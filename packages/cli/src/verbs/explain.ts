import type { Counter, Gauge, Protocol, ServerStats } from "agent-stats";
import type { CliContext, Terminal } from "../context.ts";
import { noCounter } from "../counter-names.ts";
import type { CliError } from "../errors.ts";
import type { StoreFlags } from "../flags.ts";
import type { ExplainFlags } from "../flags-of-verbs.ts";
import { knownProtocols } from "../known.ts";
import { read } from "../source.ts";
import { printable, wrapWords } from "../text/cells.ts";
import { headerLines } from "../text/header.ts";
import { formatCount, formatValue } from "../text/numbers.ts";
import { painter } from "../text/paint.ts";
import { SIMPLEX_LABELS } from "../text/simplex-labels.ts";

/** What is known of one counter or gauge of one protocol. */
export interface Explained {
  readonly protocol: string;
  readonly counter: string;
  /** Null where only the app that counts it knows. */
  readonly help: string | null;
  readonly unit: string | null;
  readonly kind: "counter" | "gauge";
  readonly error: boolean;
  readonly attemptsOf: string | null;
  readonly simplex: { readonly field: string; readonly label: string | null } | null;
  /** Without a database: null. */
  readonly now: {
    readonly past: number;
    readonly session: number;
    readonly overall: number;
    readonly servers: number;
  } | null;
}

/** `agent-stats explain COUNTER`: what a number means. */
export async function explain(this: CliContext, flags: ExplainFlags, name: string): Promise<void> {
  const { db } = flags;
  const servers =
    db === undefined
      ? null
      : (await read({ ...flags, db } as StoreFlags, this, (view) => view.getServersStats())).servers;
  const protocols = await knownProtocols();
  const found = explained(name, protocols, servers);
  if (found.length === 0) throw notFound(name, protocols, servers !== null);
  this.process.stdout.write(
    flags.json ? `${JSON.stringify({ explained: found })}\n` : explainText(found, this.terminal),
  );
}

/** All that bear this name: `sent`, or of one protocol only, `mqtt.sent`. */
export function explained(
  name: string,
  protocols: readonly Protocol[],
  servers: readonly ServerStats[] | null,
): Explained[] {
  const known = protocols.flatMap((protocol) => [
    ...protocol.counters.map((counter) => ofCounter(protocol.name, counter)),
    ...protocol.gauges.map((gauge) => ofGauge(protocol.name, gauge)),
  ]);
  const isKnown = new Set(known.map(({ protocol, counter }) => `${protocol}.${counter}`));
  const counted = (servers ?? []).flatMap(({ protocol, overall }) =>
    Object.keys(overall).map((counter) => ({ protocol, counter })),
  );
  const unknown = new Map(
    counted
      .map(({ protocol, counter }) => [`${protocol}.${counter}`, ofNobody(protocol, counter)] as const)
      .filter(([full]) => !isKnown.has(full)),
  );
  return [...known, ...unknown.values()]
    .filter(({ protocol, counter }) => name === counter || name === `${protocol}.${counter}`)
    .map((one) => ({ ...one, now: servers && one.kind === "counter" ? sumsOf(one, servers) : null }));
}

function ofCounter(protocol: string, { name, help, unit, error, attemptsOf }: Counter): Explained {
  const simplex = ["smp", "xftp", "ntf"].includes(protocol)
    ? { field: `_${name}`, label: SIMPLEX_LABELS[`${protocol}.${name}`] ?? null }
    : null;
  return { protocol, counter: name, help, unit, kind: "counter", error, attemptsOf, simplex, now: null };
}

function ofGauge(protocol: string, { name, help, unit }: Gauge): Explained {
  const shape = { kind: "gauge", error: false, attemptsOf: null, simplex: null, now: null } as const;
  return { protocol, counter: name, help, unit, ...shape };
}

/** The file holds names only; what they mean is in the app. */
function ofNobody(protocol: string, counter: string): Explained {
  const shape = { kind: "counter", error: false, attemptsOf: null, simplex: null, now: null } as const;
  return { protocol, counter, help: null, unit: null, ...shape };
}

function sumsOf({ protocol, counter }: Explained, servers: readonly ServerStats[]): Explained["now"] {
  const value = (numbers: Readonly<Record<string, number>>) =>
    Object.hasOwn(numbers, counter) ? (numbers[counter] ?? 0) : 0;
  const counting = servers.filter((server) => server.protocol === protocol && value(server.overall) > 0);
  const sum = (part: "past" | "session" | "overall") => counting.reduce((all, server) => all + value(server[part]), 0);
  const names = new Set(counting.map(({ server }) => server));
  return { past: sum("past"), session: sum("session"), overall: sum("overall"), servers: names.size };
}

/** What is shown to people. */
export function explainText(found: readonly Explained[], { width, colour }: Terminal): string {
  const paint = painter(colour);
  const blocks = found.map((one) => {
    const title = `${printable(one.counter)} (${printable(one.protocol)})`;
    const help = one.help ?? "counted by the app that writes this file; what it means is known there only";
    const text = wrapWords(`${help}.`, width - 2).map((line) => `  ${line}`);
    const facts = headerLines(factsOf(one), width - 2, paint).map((line) => `  ${line}`);
    return [paint("title", title), ...text, "", ...facts].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

function factsOf({ kind, unit, error, attemptsOf, simplex, now, counter }: Explained) {
  const units: Readonly<Record<string, string>> = { count: "a number of times", bytes: "bytes", ms: "milliseconds" };
  return [
    {
      name: "kind",
      sentence: kind === "gauge" ? "a gauge: live only, never stored" : error ? "a counter of failures" : "a counter",
    },
    ...(unit === null ? [] : [{ name: "unit", sentence: units[unit] ?? unit }]),
    ...(attemptsOf === null ? [] : [{ name: "attempts of", sentence: attemptsOf }]),
    ...(simplex === null ? [] : [{ name: "in SimpleX", sentence: simplexWords(simplex) }]),
    ...(now === null
      ? []
      : [
          { name: "past", sentence: formatValue(counter, now.past) },
          { name: "session", sentence: formatValue(counter, now.session) },
          {
            name: "overall",
            sentence: `${formatValue(counter, now.overall)} at ${formatCount(now.servers)} ${now.servers === 1 ? "server" : "servers"}`,
          },
        ]),
  ];
}

function simplexWords({ field, label }: NonNullable<Explained["simplex"]>): string {
  return label === null ? `${field}; the app does not show it` : `${field}; Servers info › ${label}`;
}

function notFound(name: string, protocols: readonly Protocol[], hasFile: boolean): CliError {
  const all = protocols.flatMap(({ counters }) => counters.map((counter) => counter.name));
  return noCounter(name, all, hasFile ? "" : " of SimpleX or MQTT; for the app's own give --db");
}
