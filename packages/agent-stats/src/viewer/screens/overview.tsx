import { useState } from "preact/hooks";
import { endedBadly } from "../model/endings.ts";
import { added, type Figures, sumFigures } from "../model/figures.ts";
import { matches, type Point, pointsOf, RANGE_WORDS } from "../model/select.ts";
import type { Told } from "../model/verdict.ts";
import { agoText, countOrDash, countText, plural, timeText } from "../model/words.ts";
import { RATE_HELP, Rate } from "../parts/rate.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Spark } from "../parts/spark.tsx";
import type { View } from "../view.ts";
import { Heading, NoMatch, type ScreenProps } from "./screen.tsx";

/** The overview: is something wrong, and the numbers in a glance. */
export function Overview({ view, heading }: ScreenProps) {
  const { data, rows } = view;
  const [worst, ...others] = view.verdict ?? [];
  return (
    <>
      <Heading heading={heading} filtered={view}>
        Overview
      </Heading>
      <p class={worst ? "verdict bad" : "verdict"} role="status">
        {view.verdict === null ? "Looking at what was counted …" : (worst?.sentence ?? fineText(view))}
      </p>
      {worst && <Evidence told={worst} view={view} />}
      <Others others={others} view={view} />
      <Facts view={view} />
      {rows.length === 0 ? (
        <NoMatch>
          {data.stats.servers.length === 0
            ? "The app has run, and has counted nothing yet."
            : "Nothing matches: choose another profile or protocol."}
        </NoMatch>
      ) : (
        <>
          <Cards view={view} />
          <Protocols view={view} />
        </>
      )}
    </>
  );
}

function fineText({ rows, data }: View): string {
  if (data.stats.servers.length === 0) return "Nothing has been counted yet.";
  return `All is well: ${plural(rows.length, "server")}, and no failure that needs a look.`;
}

/** So many of the lesser findings are shown at once; the rest is folded. */
const SHOWN = 3;

function Others({ others, view }: { readonly others: readonly Told[]; readonly view: View }) {
  const [whole, setWhole] = useState(false);
  if (others.length === 0) return null;
  return (
    <section aria-label="Also">
      <ul class="findings">
        {(whole ? others : others.slice(0, SHOWN)).map((told) => (
          <li key={told.sentence}>
            {told.sentence}
            <Evidence told={told} view={view} />
          </li>
        ))}
      </ul>
      {others.length > SHOWN && (
        <button type="button" class="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Show fewer" : `Show ${plural(others.length - SHOWN, "more finding")}`}
        </button>
      )}
    </section>
  );
}

function Evidence({ told, view }: { readonly told: Told; readonly view: View }) {
  const [server, another] = told.servers;
  const row =
    another === undefined && view.rows.find((each) => each.protocol === told.protocol && each.server === server);
  return (
    <p class="evidence">
      {told.evidence}
      {row && (
        <>
          {" "}
          <button type="button" class="link" onClick={() => view.go({ screen: "server", row: row.id })}>
            Look at {view.names.server(row.server)}
          </button>
        </>
      )}
      {told.sessions.length > 0 && (
        <>
          {" "}
          <button type="button" class="link" onClick={() => view.go({ screen: "sessions" })}>
            Look at Sessions
          </button>
        </>
      )}
    </p>
  );
}

function Facts({ view: { data, now } }: { readonly view: View }) {
  const { trackedSince, lastSaved, sessions } = data.stats;
  const bad = sessions.filter(endedBadly).length;
  const running = sessions.filter(({ how }) => how === "running").length;
  return (
    <dl class="facts">
      <div>
        <dt>Tracked since</dt>
        <dd>{trackedSince.getTime() === 0 ? "never" : timeText(trackedSince)}</dd>
      </div>
      <div>
        <dt>Sessions</dt>
        <dd class={bad > 0 ? "bad" : ""}>
          {plural(sessions.length, "session")}, {bad === 0 ? "none" : bad} ended badly
        </dd>
      </div>
      <div>
        <dt>The app</dt>
        <dd>{running > 0 ? "running" : "not running"}</dd>
      </div>
      <div>
        <dt>Last saved</dt>
        <dd>{lastSaved ? `${timeText(lastSaved)} (${agoText(lastSaved, now)})` : "never"}</dd>
      </div>
    </dl>
  );
}

const CARDS = [
  { key: "sent", title: "Sent", kind: "plain" },
  { key: "received", title: "Received", kind: "plain" },
  { key: "failed", title: "Failed", kind: "bad" },
] as const;

function Cards({ view }: { readonly view: View }) {
  const { data, filter, hidden, meter, rows, now } = view;
  const sums = sumFigures(rows.map(({ figures }) => figures));
  const points: readonly Point[] = data.timeline
    ? pointsOf(data, filter.range, matches(filter, hidden), meter, now)
    : [];
  return (
    <ul class="cards">
      {CARDS.map(({ key, title, kind }) => (
        <li key={key} class={kind === "bad" && (sums[key] ?? 0) > 0 ? "card bad" : "card"}>
          <h2>{title}</h2>
          <p class="figure" data-figure={key}>
            {countOrDash(sums[key])}
          </p>
          <p class="quiet">
            {sums[key] === null ? (
              data.timeline ? (
                "not recorded"
              ) : (
                "being read"
              )
            ) : key === "failed" ? (
              <Rate rates={sums.rates} />
            ) : (
              RANGE_WORDS[filter.range]
            )}
          </p>
          <Spark points={points} of={key} kind={kind} />
        </li>
      ))}
    </ul>
  );
}

const PROTOCOL_COLUMNS = ["Servers", "Sent", "Received", "Failed", "Failure rate"] as const;
const [SERVERS, SENT, RECEIVED, FAILED, RATE] = PROTOCOL_COLUMNS;

function Protocols({ view }: { readonly view: View }) {
  const { rows, meter, filter } = view;
  const protocols = [...new Set(rows.map(({ protocol }) => protocol))].sort();
  const figures = (protocol: string): Figures =>
    meter.figures(protocol, added(rows.filter((row) => row.protocol === protocol).map(({ numbers }) => numbers)));
  return (
    <section>
      <h2 id="protocols">
        Protocols <span class="quiet">{RANGE_WORDS[filter.range]}</span>
      </h2>
      <Scroll labelledBy="protocols">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Protocol</th>
              {PROTOCOL_COLUMNS.map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {protocols.map((protocol) => {
              const { sent, received, failed, rates } = figures(protocol);
              return (
                <tr key={protocol}>
                  <th scope="row">{protocol}</th>
                  <td class="number" data-title={SERVERS}>
                    {countText(rows.filter((row) => row.protocol === protocol).length)}
                  </td>
                  <td class="number" data-title={SENT}>
                    {countOrDash(sent)}
                  </td>
                  <td class="number" data-title={RECEIVED}>
                    {countOrDash(received)}
                  </td>
                  <td class={(failed ?? 0) > 0 ? "number bad" : "number"} data-title={FAILED}>
                    {countOrDash(failed)}
                  </td>
                  <td class="number" data-title={RATE}>
                    <Rate rates={rates} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <p class="quiet help">{RATE_HELP} All numbers are those of the last save.</p>
    </section>
  );
}
