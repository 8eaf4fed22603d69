import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../model/messages.ts";
import { plural } from "../model/words.ts";
import { Scroll } from "../parts/scroll.tsx";
import type { MadeReport, ReportWishes } from "../source.ts";
import type { View } from "../view.ts";
import { Heading, type ScreenProps } from "./screen.tsx";

interface Made {
  readonly report: MadeReport | null;
  /** What it was asked for: what is chosen now may be on its way. */
  readonly wishes: ReportWishes;
  readonly problem: string;
  readonly making: boolean;
}

/** A report for somebody else: every byte of it is shown before it is saved. */
export function ReportScreen({ view, heading }: ScreenProps) {
  const { hidden } = view.names;
  const hiddenUsers = [...view.hidden].filter((user) => view.data.stats.servers.some(({ userId }) => userId === user));
  const [wishes, setWishes] = useState<ReportWishes>({
    ...{ caseId: null, coarse: false },
    // Where names are hidden, the preview must show none: neither of servers that everybody knows.
    publicServers: !hidden,
    withoutUsers: view.filter.showHidden ? [] : hiddenUsers,
  });
  const { made, make } = useReport(view, wishes);
  return (
    <>
      <Heading heading={heading}>Report</Heading>
      <p class="lead">
        A file for whoever looks into a problem with you. It holds the numbers, and not the names of your servers and
        profiles. Nothing is sent: you save it, look at it, and give it to whom you like.
      </p>
      <Wishes {...{ wishes, setWishes, hidden, hiddenUsers }} onMake={make} />
      {made.problem !== "" && (
        <p class="banner" role="alert">
          {made.problem}
        </p>
      )}
      {made.report && <Preview report={made.report} wishes={made.wishes} view={view} />}
      {!made.report && made.making && <p class="loading">Making the report …</p>}
    </>
  );
}

function useReport({ source }: View, wishes: ReportWishes) {
  const [made, setMade] = useState<Made>({ report: null, wishes, problem: "", making: true });
  const latest = useRef<object | null>(null);
  const make = useCallback(async () => {
    const mine = {};
    latest.current = mine;
    setMade((last) => ({ ...last, problem: "", making: true }));
    const result = await Promise.resolve(source.makeReport?.(wishes)).then(
      (report) => ({ report: report ?? null, problem: "" }),
      (error) => ({ report: null, problem: "code" in error ? error.message : messageOf(error).title }),
    );
    // An answer that was overtaken is not the report that was asked for last.
    if (latest.current === mine) setMade({ ...result, wishes, making: false });
  }, [source, wishes]);
  useEffect(() => {
    void make();
  }, [make]);
  return { made, make };
}

interface WishesProps {
  readonly wishes: ReportWishes;
  readonly setWishes: (wishes: ReportWishes) => void;
  readonly hidden: boolean;
  readonly hiddenUsers: readonly string[];
  readonly onMake: () => void;
}

function Wishes({ wishes, setWishes, hidden, hiddenUsers, onMake }: WishesProps) {
  return (
    <form
      class="wishes"
      onSubmit={(event) => {
        event.preventDefault();
        onMake();
      }}
    >
      <label class="search">
        <span>Case, if several reports belong together (optional)</span>
        <input
          type="text"
          maxLength={100}
          value={wishes.caseId ?? ""}
          autocomplete="off"
          onChange={({ currentTarget: { value } }) => setWishes({ ...wishes, caseId: value.trim() || null })}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={wishes.coarse}
          onChange={() => setWishes({ ...wishes, coarse: !wishes.coarse })}
        />
        <span>Round the counts, so that they tell less</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={wishes.publicServers}
          disabled={hidden}
          onChange={() => setWishes({ ...wishes, publicServers: !wishes.publicServers })}
        />
        <span>Keep well-known public servers readable{hidden && " (not while names are hidden)"}</span>
      </label>
      {hiddenUsers.length > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={wishes.withoutUsers.length === 0}
            onChange={() => setWishes({ ...wishes, withoutUsers: wishes.withoutUsers.length === 0 ? hiddenUsers : [] })}
          />
          <span>Hidden profiles too</span>
        </label>
      )}
      <button type="submit">Make it again, with the numbers of now</button>
    </form>
  );
}

function Preview({
  report,
  wishes,
  view,
}: {
  readonly report: MadeReport;
  readonly wishes: ReportWishes;
  readonly view: View;
}) {
  const [done, setDone] = useState("");
  const keeping = async (what: () => Promise<string> | string) => {
    const { source } = view;
    const unresolved = await Promise.resolve(source.keepReport?.(report.id)).then(
      () => "",
      () => " Its pseudonyms cannot be resolved later, as their key could not be kept.",
    );
    setDone((await what()) + unresolved);
  };
  const save = (text: string, type: string, ending: string) =>
    keeping(() => {
      download(text, type, `agent-stats-report-${new Date().toISOString().slice(0, 10)}.${ending}`);
      return `Saved as ${ending.toUpperCase()}.`;
    });
  const copy = () =>
    keeping(() =>
      navigator.clipboard.writeText(report.json).then(
        () => "Copied.",
        () => "The browser did not allow to copy.",
      ),
    );
  return (
    <>
      <Told report={report} wishes={wishes} />
      <p class="buttons">
        <button type="button" class="first" onClick={() => save(report.html, "text/html", "html")}>
          Save as a page (HTML)
        </button>
        <button type="button" onClick={() => save(report.json, "application/json", "json")}>
          Save as JSON
        </button>
        <button type="button" onClick={copy}>
          Copy the JSON
        </button>
        <span class="done" role="status">
          {done}
        </span>
      </p>
      <h2 id="preview">Every byte of it</h2>
      <p class="quiet">The page holds these same bytes, and shows them as tables. It opens without a network.</p>
      <Scroll labelledBy="preview">
        <pre class="preview">{report.json}</pre>
      </Scroll>
    </>
  );
}

function Told({ report: { replaced }, wishes }: { readonly report: MadeReport; readonly wishes: ReportWishes }) {
  return (
    <div class="told">
      <section>
        <h2>Included</h2>
        <ul>
          <li>{wishes.coarse ? "Every counter, rounded" : "Every counter, exactly"}, with its meaning</li>
          <li>What was counted hour by hour</li>
          <li>Sessions: when, how each ended</li>
          {replaced.visible.length > 0 && <li>{plural(replaced.visible.length, "well-known server")} by name</li>}
        </ul>
      </section>
      <section>
        <h2>Replaced</h2>
        <ul>
          <li>{plural(replaced.servers, "server")} by pseudonyms, which only you can resolve</li>
          <li>{plural(replaced.users, "profile")} by numbers, in random order</li>
          <li>Times by their hour</li>
        </ul>
      </section>
      <section>
        <h2>Removed</h2>
        <ul>
          {wishes.withoutUsers.length > 0 && <li>All of hidden profiles</li>}
          <li>Live values</li>
          <li>Minutes and seconds</li>
          <li>The key, and the place of the file</li>
        </ul>
      </section>
    </div>
  );
}

function download(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
