import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { assertGiven } from "../../record/given.ts";
import { StatsError } from "../errors.ts";
import { callsBy, inThisThread } from "../methods.ts";
import { statsErrorOf } from "../sqlite/handle.ts";
import { partsOf } from "../sqlite/parts.ts";
import type { StatsReader, StatsStore, StoreCalls } from "../store.ts";
import { atExit } from "./at-exit.ts";
import { type CallsOptions, fileCalls } from "./calls.ts";
import type { DriverName } from "./drivers.ts";
import type { FileOptions } from "./file.ts";
import { fileGiven } from "./given.ts";
import { keyLiteral, type StatsKey } from "./key.ts";
// Types only: who loads that module in a thread of its own, is taken for the thread of a database. As that is loaded
// by every start, it is bundled into one file, `thread.js`.
import type { Answer, AnswerPart, Call, News, WorkerData } from "./worker.ts";

export type { DriverName } from "./drivers.ts";
export {
  type ExamineFileOptions,
  type FileFindings,
  type Finding,
  type FindingCode,
  moveAside,
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
  /**
   * Default: the first of the known drivers that is installed and can work on this Node.js. In one process, one driver for
   * one file, whichever thread opens it: each brings a SQLite of its own, and two of them undo each other's locks.
   */
  readonly driver?: DriverName;
  /** `worker`: the host's thread never waits for the disk. `same`: no second thread, for tools. Default: `worker`. */
  readonly thread?: "worker" | "same";
  /**
   * What becomes of a file that is damaged beyond doubt: some of its pages authenticate with the key, and others do not.
   * `refuse`: it stays, and nothing is kept until somebody decides. `move-aside`: it gets another name beside, with its
   * WAL and all its bytes, and a new one is begun; the host is told once, by `STATS_MOVED_ASIDE`. Another key, a newer
   * schema, a file of another kind or a disk that fails to read never are damage. Default: `refuse`.
   */
  readonly ifDamaged?: "refuse" | "move-aside";
}

/**
 * Keeps statistics in an encrypted file of their own, in SQLCipher's format 4: the sqlcipher shell and DB Browser open
 * it with the same key. A store belongs to one keeper; other processes and threads open the same file with their own.
 *
 * @throws StatsError `STATS_KEY_INVALID` before any file is touched
 * @throws TypeError where `file` is no path, or another option is none of those it can be
 */
export function sqlcipherStore(options: SqlcipherOptions): StatsStore {
  return open(options, "write");
}

/**
 * Reads what others keep, at any time, without disturbing them. It creates nothing: a missing file is `STATS_MISSING`.
 * Where SQLite would have to change something in order to read, in a folder that may not be written or beside a WAL that
 * a kill left, a private copy is read, encrypted with a key that nobody is told.
 *
 * @throws StatsError `STATS_KEY_INVALID` before any file is touched
 * @throws TypeError where `file` is no path, or another option is none of those it can be
 */
export function sqlcipherReader(options: Omit<SqlcipherOptions, "ifDamaged">): StatsReader {
  return open(options, "read");
}

function open(given: SqlcipherOptions, mode: FileOptions["mode"]): StatsStore {
  const { file, driver } = fileGiven(given);
  const { key, thread = "worker", ifDamaged = "refuse" } = given;
  assertGiven(thread === "worker" || thread === "same", "thread is worker or same");
  assertGiven(ifDamaged === "refuse" || ifDamaged === "move-aside", "ifDamaged is refuse or move-aside");
  const options = { file, keyLiteral: keyLiteral(key), mode, driver, ifDamaged };
  if (thread === "same") return inThisThread(fileCalls(options).calls);
  return inWorker(options);
}

/** The longest that an ending process waits for its last save. */
const LAST_SAVE_MS = 3_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: StatsError): void;
  readonly parts: ReturnType<typeof partsOf>;
}

function settle(call: Waiting | undefined, value: unknown): void {
  try {
    call?.resolve(call.parts ? call.parts.whole(value) : value);
  } catch (error) {
    // What is put together here can turn out to be damaged.
    call?.reject(statsErrorOf(error));
  }
}

function sharedNumber(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** An error loses its class on the way between threads. */
function errorOf(answer: Extract<Answer, { ok: false }>): StatsError {
  return new StatsError(answer.code, answer.message, { cause: answer.cause });
}

interface Running extends Pick<WorkerData, "ending"> {
  readonly worker: Worker;
  callNow(call: Omit<Call, "id" | "now">): Answer;
}

/** The same calls, made in a worker thread. A worker that dies is replaced at the next call. */
function inWorker(options: CallsOptions): StatsStore {
  const waiting = new Map<number, Waiting>();
  let running: Running | null = null;
  /** The thread that was told of all rows: one that came after it knows nothing of them. */
  let taught: Worker | null = null;
  let lastId = 0;
  const exits = atExit();

  const nobodyWaits = (worker: Worker) => {
    worker.unref();
    exits.delete(comeToRest);
  };

  const start = () => {
    const { port1, port2 } = new MessageChannel();
    const [answered, ending] = [sharedNumber(), sharedNumber()];
    const data: WorkerData = { answers: port2, answered, ending };
    // Not with the worker's data, which Node.js prints when it is told to debug workers: the key is among it.
    port1.postMessage(options);
    const worker = new Worker(new URL("./thread.js", import.meta.url), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
      env: {},
    });
    worker.unref();
    port1.unref();
    const heed = (answer: Answer | AnswerPart) => {
      const call = waiting.get(answer.id);
      if ("part" in answer) return call?.parts?.add(answer.part);
      waiting.delete(answer.id);
      if (waiting.size === 0) nobodyWaits(worker);
      if (answer.ok) settle(call, answer.value);
      else {
        // A thread of Node remembers what was not installed: what is installed later, only another one finds.
        if (answer.code === "STATS_DRIVER_MISSING") letGo();
        call?.reject(errorOf(answer));
      }
    };
    /** What came while this thread was busy. Node would hand it all out at once: so each has a turn of its own. */
    const inbox: (Answer | AnswerPart)[] = [];
    const heedNext = () => {
      const answer = inbox.shift();
      if (inbox.length > 0) setImmediate(heedNext);
      if (answer) heed(answer);
    };
    worker.on("message", (answer: Answer | AnswerPart) => {
      if (inbox.push(answer) === 1) setImmediate(heedNext);
    });
    const died = () => {
      for (const answer of inbox.splice(0)) heed(answer);
      // Nobody waits for one that was let go; whoever waits now, waits for its successor.
      if (running?.worker !== worker) return;
      running = null;
      const failed = new StatsError(
        "STATS_STORE_FAILED",
        "The thread of the database ended: it is started again by itself.",
      );
      for (const { reject } of waiting.values()) reject(failed);
      waiting.clear();
      nobodyWaits(worker);
    };
    worker.on("error", died);
    worker.on("exit", died);
    const callNow = (call: Omit<Call, "id" | "now">): Answer => {
      const id = ++lastId;
      const parts = partsOf(call.method);
      worker.postMessage({ ...call, id, now: true } satisfies Call);
      const patience = performance.now() + LAST_SAVE_MS;
      for (;;) {
        const seen = Atomics.load(answered, 0);
        // An answer that came too late for its call is not the answer to this one.
        for (let got = receiveMessageOnPort(port1); got !== undefined; got = receiveMessageOnPort(port1)) {
          const answer = got.message as Answer | AnswerPart;
          if (answer.id !== id) continue;
          if ("part" in answer) parts?.add(answer.part);
          else return parts && answer.ok ? { ...answer, value: parts.whole(answer.value) } : answer;
        }
        const left = patience - performance.now();
        if (left <= 0) throw new StatsError("STATS_BUSY", "The last save took too long and was left behind.");
        Atomics.wait(answered, 0, seen, left);
      }
    };
    return { worker, ending, callNow };
  };

  /**
   * A process that ends stops its threads wherever they are, and a driver that is stopped within a call aborts the whole
   * process. Who keeps statistics makes what is under way once more, and waits; for who only reads, this waits.
   */
  const comeToRest = () => {
    if (running) Atomics.store(running.ending, 0, 1);
    try {
      now("close", []);
    } catch {
      // It takes too long: nobody can wait any longer.
    }
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
      waiting.set(id, { resolve, reject, parts: partsOf(method) });
      // While somebody waits for an answer, the process must not end for want of anything to do.
      running.worker.ref();
      if (options.mode === "read") exits.add(comeToRest);
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
    announce(news) {
      if (!running || (!news.anew && running.worker !== taught)) return false;
      taught = running.worker;
      taught.postMessage({ news } satisfies News);
      return true;
    },
  };
}
