import type { StatsStore, StoreCalls } from "../store/store.ts";

type Method = keyof StoreCalls;
type Answer<M extends Method> = ReturnType<StoreCalls[M]>;

/** One call to the store, to be made by whoever drives the flow. */
export interface StoreCall<M extends Method = Method> {
  readonly method: M;
  readonly args: Parameters<StoreCalls[M]>;
}

/**
 * What the keeper does with its store, written once as a generator that yields each call. While the host lives it is
 * driven by promises; when the process is ending, and nothing can be awaited any more, the same steps are driven at once.
 */
export type Flow<T> = Generator<StoreCall | Pause, T, unknown>;

/** A turn for whatever else the thread has to do; a process that is ending has nothing else. */
interface Pause {
  readonly method: null;
}

/** Lets others have their turn, from within a flow that works for long. */
export function* pause(): Flow<void> {
  yield { method: null };
}

/** Asks the store, from within a flow. */
export function* ask<M extends Method>(method: M, ...args: Parameters<StoreCalls[M]>): Flow<Answer<M>> {
  return (yield { method, args }) as Answer<M>;
}

/** A flow on its way. It is driven by promises; whoever cannot wait any longer finishes it at once. */
export class Drive<T> {
  readonly #flow: Flow<T>;
  #step: Step<T>;

  constructor(flow: Flow<T>) {
    this.#flow = flow;
    this.#step = stepOf(() => flow.next());
  }

  async finish(store: StatsStore): Promise<T> {
    while ("call" in this.#step) {
      const asked = this.#step;
      const answer = await outcome(() => (asked.call.method === null ? nextTurn() : made(asked.call, store)));
      // Unless somebody in a hurry asked again meanwhile, and went on without this answer.
      if (this.#step === asked) this.#go(answer);
    }
    return resultOf(this.#step.end);
  }

  /** The call that is under way is made once more, which is harmless; then the rest of the flow. */
  finishNow(calls: StoreCalls): T {
    while ("call" in this.#step) {
      const { call } = this.#step;
      this.#go(outcomeNow(() => (call.method === null ? undefined : made(call, calls))));
    }
    return resultOf(this.#step.end);
  }

  #go(answer: Outcome<unknown>): void {
    this.#step = stepOf(() => (answer.ok ? this.#flow.next(answer.value) : this.#flow.throw(answer.error)));
  }
}

/** The call, made of a store that answers later or at once. */
function made({ method, args }: StoreCall, store: StatsStore | StoreCalls): unknown {
  return (store[method] as (...args: unknown[]) => unknown).apply(store, args);
}

/** Where there is one: a timer waits for a whole millisecond. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** Where a flow stands: at a call, or at its end. */
type Step<T> = { readonly call: StoreCall | Pause } | { readonly end: Outcome<T> };

function stepOf<T>(advance: () => IteratorResult<StoreCall | Pause, T>): Step<T> {
  const advanced = outcomeNow(advance);
  if (!advanced.ok) return { end: advanced };
  const { done, value } = advanced.value;
  return done ? { end: { ok: true, value } } : { call: value };
}

function resultOf<T>(end: Outcome<T>): T {
  if (end.ok) return end.value;
  throw end.error;
}

async function outcome(call: () => unknown): Promise<Outcome<unknown>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, error };
  }
}

function outcomeNow<T>(call: () => T): Outcome<T> {
  try {
    return { ok: true, value: call() };
  } catch (error) {
    return { ok: false, error };
  }
}
