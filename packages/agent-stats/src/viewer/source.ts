import type { StatsView } from "../keep/read.ts";
import type { Report } from "../report/make.ts";

/** What a report is asked for. */
export interface ReportWishes {
  /** What the case is called, where reports are to correlate. Null: this report correlates with no other. */
  readonly caseId: string | null;
  readonly coarse: boolean;
  /** Whether well-known public servers stay readable. */
  readonly publicServers: boolean;
  /** Users of whom nothing is in it: hidden ones, unless they are asked for. */
  readonly withoutUsers: readonly string[];
}

/** A report to look at before anything is saved: the bytes that are saved are these. */
export interface MadeReport extends Pick<Report, "json" | "html" | "replaced"> {
  /** Names it to `keepReport`. */
  readonly id: string;
}

/**
 * Where the viewer's numbers come from. `openAgentStats` and `readAgentStats` give one, and so does `fetchSource`, which
 * asks a server. What is missing is not offered to whoever looks.
 */
export interface ViewerSource extends Pick<StatsView, "getServersStats" | "getSessions" | "getTimeline"> {
  /** True while an agent elsewhere does not answer, so that live values are not known. */
  readonly agentIsAway?: boolean;
  /** Has the listener called at every change; `lost` and `found` where the source is out of reach. Returns how to stop. */
  onChange?(listener: (what: "changed" | "lost" | "found") => void): () => void;
  /** Makes a report. Nothing is kept of it before `keepReport`. */
  makeReport?(wishes: ReportWishes): Promise<MadeReport>;
  /** Keeps the report's key, so that its pseudonyms can be resolved later. Called before the report is saved. */
  keepReport?(id: string): Promise<void>;
  deleteUser?(userId: string): Promise<unknown>;
  reset?(): Promise<void>;
}
