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
export type Flow<T> = Generator<StoreCall, T, unknown>;

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
      const { method, args } = asked.call;
      const answer = await outcome(() => (store[method] as (...args: unknown[]) => Promise<unknown>)(...args));
      // Unless somebody in a hurry asked again meanwhile, and went on without this answer.
      if (this.#step === asked) this.#go(answer);
    }
    return resultOf(this.#step.end);
  }

  /** The call that is under way is made once more, which is harmless; then the rest of the flow. */
  finishNow(calls: StoreCalls): T {
    while ("call" in this.#step) {
      const { method, args } = this.#step.call;
      this.#go(outcomeNow(() => (calls[method] as (...args: unknown[]) => unknown).apply(calls, args)));
    }
    return resultOf(this.#step.end);
  }

  #go(answer: Outcome<unknown>): void {
    this.#step = stepOf(() => (answer.ok ? this.#flow.next(answer.value) : this.#flow.throw(answer.error)));
  }
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** Where a flow stands: at a call, or at its end. */
type Step<T> = { readonly call: StoreCall } | { readonly end: Outcome<T> };

function stepOf<T>(advance: () => IteratorResult<StoreCall, T>): Step<T> {
  const advanced = outcomeNow(advance);
  if (!advanced.ok) return { end: advanced };
  const { done, value } = advanced.value;
  return done ? { end: { ok: true, value } } : { call: value };
}

function resultOf<T>(end: Outcome<T>): T {
  if (end.ok) return end.value;
  throw end.error;
}

async function outcome(call: () => Promise<unknown>): Promise<Outcome<unknown>> {
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
