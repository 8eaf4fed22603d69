import type { Scope } from "../record/scope.ts";

/** Who does something: its session (null for a tool that has none), and when it is, ms since 1970. */
export interface Doer {
  readonly session: number | null;
  readonly at: number;
}

/** One line for each session folded, and each deletion and reset, written with the deed. It names nobody. */
export type AuditRow = Doer &
  (
    | { readonly what: "fold" /** The session that was folded. */; readonly of: number }
    | { readonly what: "delete" | "anonymise" | "reset"; readonly of: ScopeKind }
  );

/** What a scope says, without what it names. */
export type ScopeKind =
  | "everything"
  | "protocol"
  | "user"
  | "server"
  | "protocol+user"
  | "protocol+server"
  | "user+server"
  | "protocol+user+server";

export function kindOf({ protocol, userId, server }: Scope): ScopeKind {
  const given = Object.entries({ protocol, user: userId, server }).filter(([, value]) => value !== undefined);
  return (given.map(([name]) => name).join("+") || "everything") as ScopeKind;
}

export interface NewReportKey {
  /** When the report was made, ms since 1970. */
  readonly made: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** What the host or its user calls the case that the report belongs to. */
  readonly caseId: string | null;
}

export interface ReportKey extends NewReportKey {
  readonly report: number;
}
