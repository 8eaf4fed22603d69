import type { Meter } from "./model/figures.ts";
import type { Names } from "./model/names.ts";
import type { Data, Filter, ServerRow } from "./model/select.ts";
import type { Told } from "./model/verdict.ts";
import type { ViewerSource } from "./source.ts";

export const SCREENS = { overview: "Overview", servers: "Servers", sessions: "Sessions", report: "Report" } as const;

/** Which screen is shown. Servers are named by their row, and only in memory: no address gets into a browser's history. */
export type Place =
  | { readonly screen: keyof typeof SCREENS | "actions" }
  | { readonly screen: "server"; readonly row: string };

/** What every screen is given. */
export interface View {
  readonly data: Data;
  readonly filter: Filter;
  readonly hidden: ReadonlySet<string>;
  readonly names: Names;
  readonly meter: Meter;
  /** The servers that the filter leaves, with their numbers in its range. */
  readonly rows: readonly ServerRow[];
  /** Null while history is being read. */
  readonly verdict: readonly Told[] | null;
  readonly now: number;
  readonly source: ViewerSource;
  readonly setFilter: (filter: Filter) => void;
  readonly go: (place: Place) => void;
  readonly refresh: () => void;
}
