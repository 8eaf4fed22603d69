import { useState } from "preact/hooks";
import type { Session, SessionWithCounts } from "../../summarise/sessions.ts";
import { lossText } from "../../summarise/tell.ts";
import { endedBadly, endingText, missingText } from "../model/endings.ts";
import { added } from "../model/figures.ts";
import { isShown } from "../model/select.ts";
import { barOf, lastKnown } from "../model/spans.ts";
import { countText, dayShort, durationText, NOT_KNOWN, plural, timeText } from "../model/words.ts";
import { Scroll } from "../parts/scroll.tsx";
import type { View } from "../view.ts";
import { Heading, NoMatch, type ScreenProps } from "./screen.tsx";

/** So many sessions are shown at once; older ones are folded. */
const SHOWN = 30;

/** The runs of the app: when, how each ended, and what it can have lost. Two can be compared. */
export function Sessions({ view, heading }: ScreenProps) {
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [whole, setWhole] = useState(false);
  const sessions = view.data.stats.sessions.toReversed();
  const shown = whole ? sessions : sessions.slice(0, SHOWN);
  const bad = sessions.filter(endedBadly).length;
  const lossy = sessions.filter(({ canHaveLostMs }) => canHaveLostMs > 0);
  const lostMs = lossy.reduce((sum, { canHaveLostMs }) => sum + canHaveLostMs, 0);
  const choose = (session: number) =>
    setChosen(chosen.includes(session) ? chosen.filter((each) => each !== session) : [...chosen, session].slice(-2));
  return (
    <>
      <Heading heading={heading}>Sessions</Heading>
      <p class={bad > 0 ? "verdict bad" : "verdict"}>
        {plural(sessions.length, "session")}, {bad === 0 ? "none" : countText(bad)} ended badly
        {lostMs > 0 ? `; ${lossText(lostMs, lossy.length)}` : ""}.
      </p>
      {sessions.length === 0 ? (
        <NoMatch>No session is left in history.</NoMatch>
      ) : (
        <>
          <Runs sessions={shown} chosen={chosen} onChoose={choose} now={view.now} />
          {sessions.length > SHOWN && (
            <button type="button" class="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
              {whole ? "Show fewer" : `Show ${plural(sessions.length - SHOWN, "older session")}`}
            </button>
          )}
          <Comparison view={view} chosen={chosen} />
        </>
      )}
    </>
  );
}

interface RunsProps {
  readonly sessions: readonly Session[];
  readonly chosen: readonly number[];
  readonly onChoose: (session: number) => void;
  readonly now: number;
}

function Runs({ sessions, chosen, onChoose, now }: RunsProps) {
  const begin = Math.min(...sessions.map(({ started }) => started.getTime()));
  const end = Math.max(now, ...sessions.map(lastKnown));
  return (
    <Scroll label="Sessions, the newest first">
      <table class="stack runs">
        <thead>
          <tr>
            <th scope="col">Compare</th>
            <th scope="col">Started</th>
            <th scope="col">Ended</th>
            <th scope="col" class="number">
              Ran for
            </th>
            <th scope="col">How</th>
            <th scope="col">Can be missing</th>
            <th scope="col" class="bars">
              {dayShort(new Date(begin))} to {dayShort(new Date(end))}
            </th>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => {
            const { from, width } = barOf(session, begin, end);
            const kind = endedBadly(session) ? "bad" : session.how === "running" ? "running" : "";
            return (
              <tr key={session.session}>
                <td class="whole">
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={chosen.includes(session.session)}
                      onChange={() => onChoose(session.session)}
                    />
                    <span>
                      <span class="unseen">Compare session </span>
                      {session.session}
                    </span>
                  </label>
                </td>
                <td data-title="Started">{timeText(session.started)}</td>
                <td data-title="Ended">{session.ended ? timeText(session.ended) : NOT_KNOWN}</td>
                <td class="number" data-title="Ran for">
                  {ranText(session)}
                </td>
                <td class={kind} data-title="How">
                  {endingText(session)}
                </td>
                <td data-title="Can be missing">{missingText(session)}</td>
                <td class="bars" aria-hidden="true">
                  <span class={`bar ${kind}`} style={{ marginLeft: `${from}%`, width: `${width}%` }} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function ranText(session: Session): string {
  const ran = durationText(Math.max(0, lastKnown(session) - session.started.getTime()));
  return session.ended === null ? `≥ ${ran}` : ran;
}

function Comparison({ view, chosen }: { readonly view: View; readonly chosen: readonly number[] }) {
  const { sessions } = view.data;
  const asked = isShown(view.filter, view.hidden);
  const [a, b] = chosen
    .toSorted((x, y) => x - y)
    .map((number) => sessions?.find(({ session }) => session === number))
    .map((found) => found && { ...found, servers: found.servers.filter(asked) });
  return (
    <section>
      <h2 id="compare">Compare two sessions</h2>
      {a && b ? <ComparisonTable a={a} b={b} /> : <p class="quiet">Choose two sessions above.</p>}
    </section>
  );
}

function ComparisonTable({ a, b }: { readonly a: SessionWithCounts; readonly b: SessionWithCounts }) {
  const counts = [a, b].map(countsOf);
  const names = [...new Set(counts.flatMap((count) => [...count.keys()]))].sort();
  if (names.length === 0) return <p class="quiet">History holds no counts of these two.</p>;
  return (
    <Scroll labelledBy="compare">
      <table class="stack counters">
        <thead>
          <tr>
            <th scope="col">Counter</th>
            <th scope="col" class="number">
              Session {a.session}
            </th>
            <th scope="col" class="number">
              Session {b.session}
            </th>
            <th scope="col" class="number">
              Difference
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const [before = 0, after = 0] = counts.map((count) => count.get(name) ?? 0);
            const by = after - before;
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number" data-title={`Session ${a.session}`}>
                  {countText(before)}
                </td>
                <td class="number" data-title={`Session ${b.session}`}>
                  {countText(after)}
                </td>
                <td class={by === 0 ? "number zero" : "number"} data-title="Difference">
                  {by > 0 ? "+" : by < 0 ? "−" : ""}
                  {countText(Math.abs(by))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function countsOf({ servers }: SessionWithCounts): Map<string, number> {
  const protocols = [...new Set(servers.map(({ protocol }) => protocol))];
  return new Map(
    protocols.flatMap((protocol) => {
      const sum = added(servers.filter((server) => server.protocol === protocol).map(({ counters }) => counters));
      return Object.entries(sum).map(([counter, value]) => [`${protocol} ${counter}`, value] as const);
    }),
  );
}
