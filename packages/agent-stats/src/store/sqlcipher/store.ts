import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { StatsError } from "../errors.ts";
import { callsBy, inThisThread } from "../methods.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import type { StatsReader, StatsStore, StoreCalls } from "../store.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { type FileOptions, openFile } from "./file.ts";
import { keyLiteral, type StatsKey } from "./key.ts";
import { type Answer, type Call, errorOf, type WorkerData } from "./worker.ts";

export type { DriverName } from "./drivers.ts";
export {
  type ExamineFileOptions,
  type FileFindings,
  type Finding,
  type FindingCode,
  type Salvaged,
  type SalvageFileOptions,
  salvageFile,
  verifyFile,
} from "./examine/examine.ts";
export type { StatsKey } from "./key.ts";

export interface SqlcipherOptions {
  /** The path of the database. It is created where it is missing; its folder is not. */
  readonly file: string;
  /** 32 bytes, 64 hex digits, or `{ passphrase }`. Keep it in the system's keychain, never beside the file. */
  readonly key: StatsKey;
  /** Default: the first of the known drivers that is installed and can work on this Node.js. */
  readonly driver?: DriverName;
  /** `worker`: the host's thread never waits for the disk. `same`: no second thread, for tools. Default: `worker`. */
  readonly thread?: "worker" | "same";
}

/**
 * Keeps statistics in an encrypted file of their own, in SQLCipher's format 4: the sqlcipher shell and DB Browser open
 * it with the same key. A store belongs to one keeper; other processes and threads open the same file with their own.
 *
 * @throws StatsError `STATS_KEY_INVALID` before any file is touched
 */
export function sqlcipherStore(options: SqlcipherOptions): StatsStore {
  return open(options, "write");
}

/**
 * Reads what others keep, at any time, without disturbing them. It creates nothing: a missing file is `STATS_MISSING`.
 *
 * @throws StatsError `STATS_KEY_INVALID` before any file is touched
 */
export function sqlcipherReader(options: SqlcipherOptions): StatsReader {
  return open(options, "read");
}

function open({ file, key, driver, thread = "worker" }: SqlcipherOptions, mode: FileOptions["mode"]): StatsStore {
  const options = { file, keyLiteral: keyLiteral(key), mode, driver };
  if (thread === "same") return inThisThread(new SqliteCalls(() => openFile(loadDriver(driver), options)));
  return inWorker(options);
}

/** The longest that an ending process waits for its last save. */
const LAST_SAVE_MS = 3_000;

/** The same calls, made in a worker thread. A worker that dies is replaced at the next call. */
function inWorker(options: WorkerData["options"]): StatsStore {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: StatsError): void }>();
  let running: { readonly worker: Worker; callNow(call: Omit<Call, "id" | "now">): Answer } | null = null;
  let lastId = 0;

  const start = () => {
    const { port1, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const data: WorkerData = { options, answers: port2, answered };
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
      env: {},
    });
    worker.unref();
    port1.unref();
    const died = () => {
      // Nobody waits for one that was let go; whoever waits now, waits for its successor.
      if (running?.worker !== worker) return;
      running = null;
      const failed = new StatsError(
        "STATS_STORE_FAILED",
        "The thread of the database ended: it is started again by itself.",
      );
      for (const { reject } of waiting.values()) reject(failed);
      waiting.clear();
    };
    worker.on("error", died);
    worker.on("exit", died);
    worker.on("message", (answer: Answer) => {
      const call = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (waiting.size === 0) worker.unref();
      if (answer.ok) call?.resolve(answer.value);
      else {
        // A thread of Node remembers what was not installed: what is installed later, only another one finds.
        if (answer.code === "STATS_DRIVER_MISSING") letGo();
        call?.reject(errorOf(answer));
      }
    });
    const callNow = (call: Omit<Call, "id" | "now">): Answer => {
      const id = ++lastId;
      worker.postMessage({ ...call, id, now: true } satisfies Call);
      const patience = performance.now() + LAST_SAVE_MS;
      for (;;) {
        const seen = Atomics.load(answered, 0);
        // An answer that came too late for its call is not the answer to this one.
        for (let got = receiveMessageOnPort(port1); got !== undefined; got = receiveMessageOnPort(port1)) {
          if ((got.message as Answer).id === id) return got.message as Answer;
        }
        const left = patience - performance.now();
        if (left <= 0) throw new StatsError("STATS_BUSY", "The last save took too long and was left behind.");
        Atomics.wait(answered, 0, seen, left);
      }
    };
    return { worker, callNow };
  };

  /** Ends the thread, unless somebody still waits for it. */
  const letGo = async () => {
    if (waiting.size > 0) return;
    const worker = running?.worker;
    running = null;
    await worker?.terminate();
  };

  const later = (method: keyof StoreCalls, args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      running ??= start();
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      // While somebody waits for an answer, the process must not end for want of anything to do.
      running.worker.ref();
      running.worker.postMessage({ id, method, args, now: false } satisfies Call);
    });

  const now = (method: keyof StoreCalls, args: readonly unknown[]): unknown => {
    if (!running && method === "close") return;
    // The process may end before the first call was made.
    running ??= start();
    const answer = running.callNow({ method, args });
    if (answer.ok) return answer.value;
    throw errorOf(answer);
  };

  return {
    ...callsBy<StatsStore>(later),
    async close() {
      if (!running) return;
      await later("close", []);
      await letGo();
    },
    now: callsBy<StoreCalls>(now),
  };
}
