import { parentPort } from "node:worker_threads";
import type { StatsErrorCode } from "../../errors.ts";
import { fileErrorOf } from "../folder.ts";
import { type SalvageOptions, salvage } from "./salvage.ts";
import { type ExamineOptions, verify } from "./verify.ts";

/** What the thread is started for. */
export type Task =
  | { readonly what: "verify"; readonly options: ExamineOptions }
  | { readonly what: "salvage"; readonly options: SalvageOptions };

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: StatsErrorCode; readonly message: string; readonly cause: unknown };

// Not by its data, which Node.js prints when it is told to debug workers: the key is among it.
parentPort?.once("message", (task: Task) => parentPort?.postMessage(outcomeOf(task)));

function outcomeOf(task: Task): Outcome {
  try {
    return { ok: true, value: task.what === "verify" ? verify(task.options) : salvage(task.options) };
  } catch (error) {
    const { code, message, cause } = fileErrorOf(error);
    return { ok: false, code, message, cause };
  }
}
