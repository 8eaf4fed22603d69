import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Protocol } from "../record/protocol.ts";
import { meterOf } from "./model/figures.ts";
import { FIRST_RUN, messageOf } from "./model/messages.ts";
import { namesOf } from "./model/names.ts";
import { type Data, type Filter, rowsOf } from "./model/select.ts";
import { type Loaded, useData, useNow } from "./model/use-data.ts";
import { useHiddenNames } from "./model/use-hidden-names.ts";
import { verdictOf } from "./model/verdict.ts";
import { timeText } from "./model/words.ts";
import { Banner, MessageBox } from "./parts/message.tsx";
import { Navigation, Toolbar } from "./parts/toolbar.tsx";
import { useKeptFocus } from "./parts/use-kept-focus.ts";
import { Actions } from "./screens/actions.tsx";
import { Overview } from "./screens/overview.tsx";
import { ReportScreen } from "./screens/report.tsx";
import { ServerScreen } from "./screens/server.tsx";
import { Servers } from "./screens/servers.tsx";
import { Sessions } from "./screens/sessions.tsx";
import type { ViewerSource } from "./source.ts";
import type { Place, View } from "./view.ts";

export interface AppProps {
  readonly source: ViewerSource;
  readonly protocols: readonly Protocol[];
  readonly hidden: ReadonlySet<string>;
  readonly canWrite: boolean;
  readonly useHistory: boolean;
  readonly refreshEveryMs: number;
}

const OVERVIEW: Place = { screen: "overview" };
const NO_FILTER: Filter = { userId: null, protocol: null, range: "all", showHidden: false };

export function App({ source, protocols, hidden, canWrite, useHistory, refreshEveryMs }: AppProps) {
  const [paused, setPaused] = useState(false);
  const [hideNames, toggleNames] = useHiddenNames();
  const [filter, setFilter] = useState(NO_FILTER);
  const loaded = useData(source, paused, refreshEveryMs);
  // The page's clock goes in steps: what was read is never of its future.
  const now = Math.max(useNow(paused), loaded.data?.readAt ?? 0);
  const { place, go, heading } = usePlace(useHistory);
  useKeptFocus(loaded.data);
  const canChange = canWrite && source.deleteUser !== undefined && source.reset !== undefined;
  const { data } = loaded;
  const view = useView(data, {
    ...{ source, protocols, hidden, hideNames, filter, setFilter, now, go },
    refresh: loaded.refresh,
  });
  return (
    <div class="agent-stats">
      <header class="top">
        <Navigation place={place} go={go} canChange={canChange} canReport={source.makeReport !== undefined} />
        <Toolbar
          {...{ paused, hideNames, view, place }}
          onRefresh={loaded.refresh}
          onPause={() => setPaused(!paused)}
          onHideNames={toggleNames}
        />
      </header>
      <main aria-busy={loaded.loading && data === null}>
        <Banners loaded={loaded} paused={paused} />
        <Content loaded={loaded} view={view} place={place} heading={heading} />
      </main>
    </div>
  );
}

function Banners({ loaded, paused }: { readonly loaded: Loaded; readonly paused: boolean }) {
  const { data, error, lost } = loaded;
  if (!data) return null;
  const stale = error !== null || lost;
  return (
    <>
      {paused && <Banner>Paused: nothing on this page changes.</Banner>}
      {stale && (
        <Banner>
          Not up to date: these are the numbers of {timeText(new Date(data.readAt))}.{" "}
          {error ? `${messageOf(error).title}.` : "The connection is lost; this page tries again by itself."}
        </Banner>
      )}
    </>
  );
}

interface ContentProps {
  readonly loaded: Loaded;
  readonly view: View | null;
  readonly place: Place;
  readonly heading: { current: HTMLHeadingElement | null };
}

function Content({ loaded, view, place, heading }: ContentProps) {
  if (!view) {
    if (loaded.error) return <MessageBox message={messageOf(loaded.error)} onRetry={loaded.refresh} />;
    return (
      <div class="message loading" role="status">
        <h1>Reading the statistics …</h1>
      </div>
    );
  }
  const { sessions, servers, trackedSince } = view.data.stats;
  if (servers.length === 0 && sessions.length === 0 && trackedSince.getTime() === 0) {
    return <MessageBox message={FIRST_RUN} onRetry={loaded.refresh} />;
  }
  switch (place.screen) {
    case "overview":
      return <Overview view={view} heading={heading} />;
    case "servers":
      // Begun anew: what was searched for is a name too.
      return <Servers key={String(view.names.hidden)} view={view} heading={heading} />;
    case "server":
      return <ServerScreen key={place.row} view={view} row={place.row} heading={heading} />;
    case "sessions":
      return <Sessions view={view} heading={heading} />;
    case "report":
      return <ReportScreen key={String(view.names.hidden)} view={view} heading={heading} />;
    case "actions":
      return <Actions view={view} heading={heading} />;
  }
}

interface ViewGiven extends Pick<View, "source" | "hidden" | "filter" | "setFilter" | "now" | "go" | "refresh"> {
  readonly protocols: readonly Protocol[];
  readonly hideNames: boolean;
}

function useView(data: Data | null, given: ViewGiven): View | null {
  const { protocols, hidden, hideNames } = given;
  const filter = useMemo(() => {
    const { userId } = given.filter;
    // A profile that was forgotten meanwhile is no choice any more.
    const isThere = userId === null || data?.stats.servers.some((key) => key.userId === userId);
    return isThere ? given.filter : { ...given.filter, userId: null };
  }, [data, given.filter]);
  // Ranges begin at full hours: nothing is summed anew before the next minute.
  const now = Math.floor(given.now / 60_000) * 60_000;
  const names = useMemo(() => {
    const keys = data?.stats.servers ?? [];
    const unique = (all: readonly string[]) => [...new Set(all)];
    return namesOf(unique(keys.map(({ server }) => server)), unique(keys.map(({ userId }) => userId)), hideNames);
  }, [data, hideNames]);
  const meter = useMemo(() => meterOf(data?.stats.servers ?? [], protocols), [data, protocols]);
  const rows = useMemo(
    () => (data ? rowsOf(data, filter, hidden, meter, now) : []),
    [data, filter, hidden, meter, now],
  );
  const verdict = useMemo(
    () => (data ? verdictOf(data, filter, hidden, protocols, names, now) : null),
    [data, filter, hidden, protocols, names, now],
  );
  if (!data) return null;
  const { source, setFilter, go, refresh } = given;
  return { data, filter, setFilter, hidden, names, meter, rows, verdict, now: given.now, source, go, refresh };
}

/** Where one is, also after a reload. The browser's own back and forward work, and each screen's heading gets the focus. */
function usePlace(useHistory: boolean) {
  const [place, setPlace] = useState<Place>(() => (useHistory && placeIn(history.state)) || OVERVIEW);
  const heading = useRef<HTMLHeadingElement | null>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (!useHistory) return;
    const back = (event: PopStateEvent) => {
      moved.current = true;
      setPlace(placeIn(event.state) ?? OVERVIEW);
    };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, [useHistory]);
  useEffect(() => {
    if (moved.current) heading.current?.focus({ preventScroll: true });
    if (moved.current) scrollTo({ top: 0 });
    moved.current = false;
  }, [place]);
  const go = useCallback(
    (to: Place) => {
      moved.current = true;
      // Sessions are restored from disk: the name of a server must not be in there.
      if (useHistory) history.pushState({ agentStats: to.screen === "server" ? "servers" : to.screen }, "");
      setPlace(to);
    },
    [useHistory],
  );
  return { place, go, heading };
}

function placeIn(state: unknown): Place | null {
  if (typeof state !== "object" || state === null || !("agentStats" in state)) return null;
  const { agentStats } = state;
  const screens = ["overview", "servers", "sessions", "report", "actions"] as const;
  const screen = screens.find((name) => name === agentStats);
  return screen ? { screen } : null;
}
