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

export async function drive<T>(flow: Flow<T>, store: StatsStore): Promise<T> {
  let step = flow.next();
  while (!step.done) {
    const call = store[step.value.method] as (...args: unknown[]) => Promise<unknown>;
    const answer = await outcome(() => call(...(step.value as StoreCall).args));
    step = answer.ok ? flow.next(answer.value) : flow.throw(answer.error);
  }
  return step.value;
}

export function driveNow<T>(flow: Flow<T>, calls: StoreCalls): T {
  let step = flow.next();
  while (!step.done) {
    const { method, args } = step.value;
    let value: unknown;
    try {
      value = (calls[method] as (...args: unknown[]) => unknown).apply(calls, args);
    } catch (error) {
      step = flow.throw(error);
      continue;
    }
    step = flow.next(value);
  }
  return step.value;
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

async function outcome(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, error };
  }
}
