import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ViewerSource } from "../source.ts";
import type { Data } from "./select.ts";

/** What is known of the numbers at this moment. */
export interface Loaded {
  readonly data: Data | null;
  /** Why the last look failed; what was read before it still stands in `data`. */
  readonly error: Error | null;
  readonly loading: boolean;
  /** True while the source cannot tell of changes. */
  readonly lost: boolean;
  readonly refresh: () => void;
}

/** Two looks are at least so far apart, and three times as far as a look takes: a slow disk is not read all the time. */
const LEAST_PAUSE_MS = 300;
const PAUSE_FACTOR = 3;

/**
 * Reads at the start, at every change, and when it is asked to; every `everyMs` where nobody tells of what has changed.
 * While paused nothing is read and nothing changes.
 */
export function useData(source: ViewerSource, paused: boolean, everyMs: number): Loaded {
  const [state, setState] = useState<Omit<Loaded, "refresh">>({ data: null, error: null, loading: true, lost: false });
  const pausedNow = useRef(paused);
  pausedNow.current = paused;
  const looking = useRef<{ again: boolean } | null>(null);

  const look = useCallback(
    async (wanted: boolean) => {
      if (pausedNow.current && !wanted) return;
      if (looking.current) {
        looking.current.again = true;
        return;
      }
      const now = { again: false };
      looking.current = now;
      const begun = performance.now();
      let took = 0;
      setState((last) => ({ ...last, loading: true }));
      try {
        await read(source, (change) => {
          if (!pausedNow.current || wanted) setState((last) => ({ ...last, error: null, data: change(last.data) }));
        });
        setState((last) => ({ ...last, loading: false }));
        took = performance.now() - begun;
      } catch (error) {
        const problem = error instanceof Error ? error : new Error(String(error));
        if (!pausedNow.current || wanted) setState((last) => ({ ...last, loading: false, error: problem }));
      }
      // What failed took as long as the source waited for somebody: that is no reason to wait more.
      await pause(Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * took));
      looking.current = null;
      if (now.again) void look(false);
    },
    [source],
  );

  useEffect(() => {
    if (!paused) void look(false);
  }, [look, paused]);
  useEffect(() => {
    if (!source.onChange) return;
    return source.onChange((what) => {
      if (!pausedNow.current) setState((last) => ({ ...last, lost: what === "lost" }));
      void look(false);
    });
  }, [source, look]);
  const failed = state.error !== null;
  const running = state.data?.stats.sessions.some(({ how }) => how === "running") ?? false;
  useEffect(() => {
    // What cannot be read may be readable soon, and who is killed changes no file: nobody tells of either.
    if (source.onChange && !failed && !running) return;
    const timer = setInterval(() => void look(false), everyMs);
    return () => clearInterval(timer);
  }, [source, look, everyMs, failed, running]);
  return { ...state, refresh: () => void look(true) };
}

/** The sums first, so that something stands there early; then what history tells. */
async function read(source: ViewerSource, show: (change: (last: Data | null) => Data) => void): Promise<void> {
  const history = Promise.all([source.getSessions(), source.getTimeline()]);
  // Whichever fails first is told; the other one must not be left without a listener.
  history.catch(() => {});
  const stats = await source.getServersStats();
  const readAt = Date.now();
  show((last) => (last ? last : { stats, sessions: null, timeline: null, readAt }));
  const [sessions, timeline] = await history;
  show(() => ({ stats, sessions, timeline, readAt }));
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** The time, as it goes on. Stands still while paused. */
export function useNow(paused: boolean, everyMs = 10_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (paused) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [paused, everyMs]);
  return now;
}
