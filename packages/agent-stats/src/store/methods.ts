import type { StatsStore, StoreCalls } from "./store.ts";

type Method = keyof StoreCalls;

/** Every method of the port. The compiler sees to it that none is missing. */
const METHODS: Readonly<Record<Method, true>> = {
  begin: true,
  save: true,
  fold: true,
  deleteUser: true,
  deletedAmong: true,
  reset: true,
  prune: true,
  erase: true,
  sums: true,
  sessions: true,
  sessionSums: true,
  counted: true,
  hours: true,
  audit: true,
  addReportKey: true,
  reportKeys: true,
  close: true,
};

/** Makes a store, or its blocking half, of one function that answers whichever call it is. */
export function callsBy<T extends { readonly [M in Method]: unknown }>(
  answer: (method: Method, args: readonly unknown[]) => unknown,
): T {
  const methods = Object.keys(METHODS) as Method[];
  const calls = methods.map((method) => [method, (...args: readonly unknown[]) => answer(method, args)]);
  return Object.fromEntries(calls) as T;
}

/** Makes whichever call it is. */
export function answerOf(calls: StoreCalls): (method: Method, args: readonly unknown[]) => unknown {
  return (method, args) => (calls[method] as (...args: readonly unknown[]) => unknown).apply(calls, args as unknown[]);
}

/** Makes a store of calls that answer at once. */
export function inThisThread(calls: StoreCalls): StatsStore {
  const call = answerOf(calls);
  return { ...callsBy<StatsStore>(async (method, args) => call(method, args)), now: calls };
}
