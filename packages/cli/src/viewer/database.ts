import { statSync } from "node:fs";
import { readAgentStats, type StatsReader, type StatsView } from "agent-stats";
import type { Report } from "agent-stats/report";
import { type SqlcipherOptions, sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { knownProtocols } from "../known.ts";

/** What the viewer may do with a database: look, keep the keys of reports, and, where it is told so, forget. */
export interface Database extends Omit<StatsView, "close"> {
  /** Calls back when the file has changed. Returns how to stop. */
  watch(onChange: () => void): () => void;
  /** Makes a report under a new key, or under that of the case. Keeps nothing. */
  makeReport(wishes: ReportWishes): Promise<Report & { readonly key: Uint8Array }>;
  /** Keeps the key of a report, so that its pseudonyms can be resolved. */
  keepReportKey(key: Uint8Array, caseId: string | null): Promise<void>;
  forget(userId: string): Promise<void>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface ReportWishes {
  readonly caseId: string | null;
  readonly coarse: boolean;
  readonly publicServers: boolean;
  readonly withoutUsers: readonly string[];
}

/** How often the file's times are looked at, while somebody looks at the page. */
const LOOK_EVERY_MS = 500;

/**
 * The database behind the page. The handle that reads cannot write; what writes is opened for one call and closed again.
 * Its reads are single statements, so that no deletion has to wait for somebody who looks at a page.
 */
export function openDatabase(options: SqlcipherOptions): Database {
  const { file } = options;
  const reader: StatsReader = sqlcipherReader(options);
  const view = readAgentStats({ store: reader });
  const writing = async (work: (store: ReturnType<typeof sqlcipherStore>) => Promise<unknown>) => {
    const store = sqlcipherStore(options);
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };
  /** A tool that has no session has heard of nothing, and need not. */
  const tool = () => ({ session: null, seen: 0, at: Date.now() });
  return {
    ...view,
    watch: (onChange) => watchFile(file, onChange),
    async makeReport({ caseId, coarse, publicServers, withoutUsers }) {
      const { makeReport, newReportKey } = await import("agent-stats/report");
      const [protocols, stats, timeline, kept] = await Promise.all([
        knownProtocols(),
        view.getServersStats(),
        view.getTimeline(),
        caseId === null ? [] : reader.reportKeys(),
      ]);
      const key = kept.findLast((report) => report.caseId === caseId)?.key ?? newReportKey();
      const wishes = { caseId, coarse, withoutUsers, ...(publicServers ? {} : { publicServers: [] }) };
      return { ...(await makeReport({ stats, timeline, protocols, key, ...wishes })), key };
    },
    keepReportKey: (key, caseId) => writing((store) => store.addReportKey({ made: Date.now(), key, caseId })),
    forget: (userId) => writing((store) => store.deleteUser(userId, "forget", tool())),
    reset: () => writing((store) => store.reset({}, tool())),
    close: () => view.close(),
  };
}

/**
 * Looks at the times of the file and its log, and opens neither: closing another descriptor of the file would free, by
 * POSIX rules, the locks that this process holds on it.
 */
function watchFile(file: string, onChange: () => void): () => void {
  let last = timesOf(file);
  const timer = setInterval(() => {
    const now = timesOf(file);
    if (now !== last) onChange();
    last = now;
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function timesOf(file: string): string {
  return [file, `${file}-wal`]
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : "none";
    })
    .join();
}
