import type { Protocol } from "../record/protocol.ts";
import { makeReport } from "../report/make.ts";
import { newReportKey } from "../report/pseudonyms.ts";
import type { StatsReader, StatsStore } from "../store/store.ts";
import { serversStats } from "../summarise/servers-stats.ts";
import { sessionsWithCounts } from "../summarise/sessions.ts";
import { hoursOf, timelineOf } from "../summarise/timeline.ts";
import type { ViewerSource } from "./source.ts";

/** Where the keys of reports are kept: any store. What only reads keeps none. */
export type ReportKeys = Pick<StatsReader, "reportKeys"> & Partial<Pick<StatsStore, "addReportKey">>;

/** A store that is only looked at. */
export function storeSource(store: StatsReader): ViewerSource {
  return {
    async getServersStats() {
      const sums = await store.sums(null);
      return serversStats(sums, sums.sessions, null);
    },
    getSessions: async () => sessionsWithCounts(await store.sessions(), await store.sessionSums(), await store.audit()),
    getTimeline: async (options = {}) => timelineOf(await store.hours(...hoursOf(options)), options.by),
  };
}

/** The same source, whose reports are made in the page itself. */
export function withReports(
  source: ViewerSource,
  protocols: readonly Protocol[],
  keys: ReportKeys | null,
): ViewerSource {
  const made = new Map<string, { readonly key: Uint8Array; readonly caseId: string | null }>();
  return {
    ...callable(source),
    async makeReport({ caseId, coarse, publicServers, withoutUsers }) {
      const [stats, timeline] = await Promise.all([source.getServersStats(), source.getTimeline({ by: "hour" })]);
      const kept = caseId === null ? [] : ((await keys?.reportKeys()) ?? []);
      const key = kept.findLast((report) => report.caseId === caseId)?.key ?? newReportKey();
      const wishes = { caseId, coarse, withoutUsers, ...(publicServers ? {} : { publicServers: [] }) };
      const { json, html, replaced } = await makeReport({ stats, timeline, protocols, key, ...wishes });
      const id = crypto.randomUUID();
      made.set(id, { key, caseId });
      return { id, json, html, replaced };
    },
    async keepReport(id) {
      const report = made.get(id);
      if (!report || !keys?.addReportKey) throw new Error("there is no store to keep the key in");
      await keys.addReportKey({ made: Date.now(), ...report });
    },
  };
}

/** The calls of a source: of an object with getters, a copy would only hold what these gave once. */
function callable(source: ViewerSource): ViewerSource {
  const { onChange, deleteUser, reset } = source;
  return {
    getServersStats: () => source.getServersStats(),
    getSessions: () => source.getSessions(),
    getTimeline: (options) => source.getTimeline(options),
    get agentIsAway() {
      return source.agentIsAway ?? false;
    },
    ...(onChange && { onChange: onChange.bind(source) }),
    ...(deleteUser && { deleteUser: deleteUser.bind(source) }),
    ...(reset && { reset: reset.bind(source) }),
  };
}
