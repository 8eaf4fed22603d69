import { useState } from "preact/hooks";
import type { Protocol } from "../../record/protocol.ts";
import { nounOf } from "../../summarise/tell.ts";
import { added } from "../model/figures.ts";
import { shareText } from "../model/rates.ts";
import { hasSession, matches, pointsOf, RANGE_WORDS, rowId, type ServerRow } from "../model/select.ts";
import { toldOf } from "../model/verdict.ts";
import { countText, timeText } from "../model/words.ts";
import { Chart } from "../parts/chart.tsx";
import { type CounterRow, Counters } from "../parts/counters.tsx";
import type { View } from "../view.ts";
import { Heading, NoMatch, type ScreenProps } from "./screen.tsx";

/** One server: every counter, its timeline, and what is live. */
export function ServerScreen({ view, row: id, heading }: ScreenProps & { readonly row: string }) {
  const row = view.rows.find((each) => each.id === id);
  const back = (
    <p class="back">
      <button type="button" class="link" onClick={() => view.go({ screen: "servers" })}>
        ← All servers
      </button>
    </p>
  );
  if (!row) {
    return (
      <>
        {back}
        <Heading heading={heading} filtered={view}>
          Server
        </Heading>
        <NoMatch>This server has no numbers for this profile and protocol, or was forgotten.</NoMatch>
      </>
    );
  }
  return (
    <>
      {back}
      <Heading heading={heading} filtered={view}>
        <bdi>{view.names.server(row.server)}</bdi>
      </Heading>
      {toldOf(view.verdict, row).map(({ what, evidence, now }) => (
        <div key={what}>
          <p class={now ? "verdict bad" : "verdict"}>{what}</p>
          <p class="evidence">{evidence}</p>
        </div>
      ))}
      <About view={view} row={row} />
      <Failures row={row} />
      <section aria-labelledby="timeline">
        <h2 id="timeline">
          Timeline <span class="quiet">{RANGE_WORDS[view.filter.range]}</span>
        </h2>
        <ServerTimeline view={view} row={row} />
      </section>
      <section aria-labelledby="counters">
        <h2 id="counters">Counters</h2>
        <AllCounters view={view} row={row} />
      </section>
    </>
  );
}

function About({ view, row }: { readonly view: View; readonly row: ServerRow }) {
  const { names } = view;
  const since = row.keys.map(({ trackedSince }) => trackedSince?.getTime() ?? Number.POSITIVE_INFINITY);
  const oldest = Math.min(...since);
  return (
    <div class="about">
      {names.address(row.server) !== names.server(row.server) && (
        <p class="address">
          <bdi>{names.address(row.server)}</bdi>
        </p>
      )}
      <p class="quiet">
        {row.protocol}, {row.keys.map(({ userId }) => names.user(userId)).join(", ")}
        {Number.isFinite(oldest) && (
          <>
            ; tracked since <time>{timeText(new Date(oldest))}</time>
          </>
        )}
      </p>
      <Live view={view} row={row} />
    </div>
  );
}

function ServerTimeline({ view, row }: { readonly view: View; readonly row: ServerRow }) {
  const { data, filter, hidden, meter, now } = view;
  if (!data.timeline) return <p class="loading">Reading the history …</p>;
  const asked = matches(filter, hidden);
  const points = pointsOf(data, filter.range, (key) => asked(key) && rowId(key) === row.id, meter, now);
  return <Chart points={points} title={view.names.server(row.server)} />;
}

/** Every activity that had an outcome in the range, with how much of it failed. */
function Failures({ row }: { readonly row: ServerRow }) {
  return (
    <dl class="facts">
      {row.figures.rates.map((rate) => (
        <div key={rate.activity}>
          <dt>Failed {nounOf(rate)}</dt>
          <dd class={rate.failed > 0 ? "bad" : ""}>
            {shareText(rate)}{" "}
            <span class="quiet">
              ({countText(rate.failed)} of {countText(rate.all)})
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Live values come from the app that counts; a file holds none. What is not known is not shown as zero. */
function Live({ view: { data, source, meter }, row }: { readonly view: View; readonly row: ServerRow }) {
  const live = added(row.keys.map((key) => key.live));
  const known = row.keys.some((key) => Object.keys(key.live).length > 0);
  const running = data.stats.sessions.some(({ how }) => how === "running");
  if (!running) return <p class="quiet">The app is not running, so there are no live values.</p>;
  if (source.agentIsAway) return <p class="quiet">The agent does not answer, so its live values are not known.</p>;
  if (!known) return <p class="quiet">Live values, such as open connections, are known to the running app only.</p>;
  const gauges = meter.definition(row.protocol)?.gauges.map(({ name }) => name) ?? Object.keys(live);
  return (
    <dl class="facts">
      {gauges.map((gauge) => (
        <div key={gauge}>
          <dt>{gauge} now</dt>
          <dd>{countText(live[gauge] ?? 0)}</dd>
        </div>
      ))}
    </dl>
  );
}

function AllCounters({ view, row }: { readonly view: View; readonly row: ServerRow }) {
  const [whole, setWhole] = useState(false);
  const all = counterRows(view, row);
  const [counted, zero] = [
    all.filter(({ values }) => values.some(Boolean)),
    all.filter(({ values }) => !values.some(Boolean)),
  ];
  return (
    <>
      <Counters
        caption="Counters of this server"
        columns={["Session", "Past", "Overall"]}
        rows={whole ? all : counted}
      />
      {!hasSession(view.data.stats) && (
        <p class="quiet">A dash is what was not recorded: no session runs. A zero was counted.</p>
      )}
      {zero.length > 0 && (
        <button type="button" class="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Hide counters at zero" : `Show ${zero.length} counters at zero`}
        </button>
      )}
    </>
  );
}

function counterRows({ meter, data }: View, { protocol, keys }: ServerRow): CounterRow[] {
  const sessionIsKnown = hasSession(data.stats);
  const parts = (["session", "past", "overall"] as const).map((part) => added(keys.map((key) => key[part])));
  const definition: Protocol | undefined = meter.definition(protocol);
  const defined = definition?.counters.map(({ name }) => name) ?? [];
  const unknown = Object.keys(parts[2] ?? {})
    .filter((name) => !defined.includes(name))
    .sort();
  return [...defined, ...unknown].map((counter) => {
    const known = definition?.counters.find(({ name }) => name === counter);
    return {
      counter,
      help: known?.help ?? null,
      isError: known?.error ?? meter.isError(protocol, counter),
      unit: known?.unit ?? "count",
      values: parts.map((numbers, index) =>
        index === 0 && !sessionIsKnown ? null : (new Map(Object.entries(numbers)).get(counter) ?? 0),
      ),
    };
  });
}
