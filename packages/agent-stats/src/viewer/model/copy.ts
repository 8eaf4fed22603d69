import type { Place, View } from "../view.ts";
import { endingText } from "./endings.ts";
import { rateTexts } from "./rates.ts";
import { RANGES } from "./select.ts";
import { NOT_KNOWN, timeText } from "./words.ts";

/** A report is copied by its own button, which keeps its key; the actions are nothing to copy. */
export function hasText({ screen }: Place): boolean {
  return screen !== "report" && screen !== "actions";
}

/** What is copied of a screen: rows with tabs between the cells, so that a mail and a spreadsheet can both take it. */
export function textOf(view: View, place: Place): string {
  const { data, filter, names, rows, verdict } = view;
  const lines = [
    `agent-stats, ${timeText(new Date(data.readAt))}, ${RANGES[filter.range]}`,
    ...(verdict ?? []).map(({ sentence, evidence }) => `${sentence} ${evidence}`),
    "",
  ];
  if (place.screen === "sessions") return [...lines, ...sessionLines(view)].join("\n");
  if (place.screen === "server") {
    const row = rows.find(({ id }) => id === place.row);
    const counters = Object.entries(row?.numbers ?? {}).map(([counter, value]) => `${counter}\t${value}`);
    return [...lines, row ? names.address(row.server) : "", ...counters].join("\n");
  }
  const head = ["server", "protocol", "sent", "received", "failed", "failure rate"].join("\t");
  const cells = rows.map(({ server, protocol, figures }) =>
    [
      names.address(server),
      protocol,
      ...[figures.sent, figures.received, figures.failed].map((value) => value ?? NOT_KNOWN),
      rateTexts(figures.rates).join(", "),
    ].join("\t"),
  );
  return [...lines, head, ...cells].join("\n");
}

function sessionLines({ data }: View): string[] {
  return data.stats.sessions.map((session) =>
    [
      session.session,
      timeText(session.started),
      session.ended ? timeText(session.ended) : NOT_KNOWN,
      endingText(session),
    ].join("\t"),
  );
}
