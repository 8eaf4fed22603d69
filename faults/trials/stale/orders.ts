import type { LifeSpec } from "../../child/spec.ts";

/** A host that does as it is told. */
export type HostSpec = Pick<LifeSpec, "file" | "ledger" | "driver" | "place" | "seed" | "sabotage">;

/** What it can be told; it answers each when it is done, with the order's number. */
export type Order = { readonly id: number } & (
  | { readonly do: "count"; readonly users: readonly number[]; readonly servers: readonly number[] }
  /** Stops counting, and saves until a save is acknowledged. */
  | { readonly do: "settle" }
  /** Closes and opens, which folds what is found dead. */
  | { readonly do: "reopen" }
  | { readonly do: "delete"; readonly user: number }
  | { readonly do: "reset"; readonly server: number }
  /** Of so many commits in a hundred it is said that they failed, after they were done. */
  | { readonly do: "fail commits"; readonly percent: number }
);

export interface Answer {
  readonly id: number;
  /** How many commits were reported as failed so far. */
  readonly failed: number;
}
