export type { AgentStats, KeepAgentOptions, KeepOptions, OpenOptions } from "./keep/open.ts";
export { keepStats, openAgentStats } from "./keep/open.ts";
export type { StatsView } from "./keep/read.ts";
export { readAgentStats } from "./keep/read.ts";
export type { RemoteAgent, StatsAgent } from "./record/connect.ts";
export { connectRecorder } from "./record/connect.ts";
export type { ChannelLike } from "./record/port.ts";
export type {
  Counter,
  CounterDefinition,
  Gauge,
  GaugeDefinition,
  Protocol,
  ProtocolDefinition,
  Unit,
} from "./record/protocol.ts";
export { defineProtocol } from "./record/protocol.ts";
export type { PastOfServer, Recorded, RecordedServer, RecorderOptions } from "./record/recorder.ts";
export { Recorder } from "./record/recorder.ts";
export type { BoundCounter, Rejection, Server } from "./record/row.ts";
export type { GivenScope, Scope } from "./record/scope.ts";
export { serveRecorder } from "./record/serve.ts";
export type { StatsErrorCode } from "./store/errors.ts";
export { StatsError } from "./store/errors.ts";
export { memoryStore } from "./store/memory.ts";
export type {
  AuditRow,
  Ending,
  Erased,
  NewReportKey,
  ReportKey,
  ScopeKind,
  StatsReader,
  StatsStore,
  Totals,
} from "./store/store.ts";
export type { Part, ServersByUse, SuccessRate, SumOptions, UseRule } from "./summarise/groups.ts";
export { groupByUse, shown, successRates, totals } from "./summarise/groups.ts";
export type { Numbers } from "./summarise/numbers.ts";
export type { ServerStats, ServersStats } from "./summarise/servers-stats.ts";
export type { LogLine, Session, SessionWithCounts } from "./summarise/sessions.ts";
export type { TimelineEntry, TimelineOptions } from "./summarise/timeline.ts";
