/** What must be true of two processes on one database, as a model that is small enough to be believed. */

export type Counts = Record<string, number>;
export type Process = 0 | 1;

/** What must be true, in ten lines: what is saved, what each process saved in its session, and what it has not saved. */
export interface Model {
  readonly saved: Counts;
  readonly own: [Counts, Counts];
  readonly unsaved: [Counts, Counts];
  readonly forgotten: [Set<string>, Set<string>];
  /** Users it counted, and users others deleted that it has not heard of. */
  readonly known: [Set<string>, Set<string>];
  readonly untold: [Set<string>, Set<string>];
  /** The lock went while the process lives on; then someone folded its session. */
  readonly unlocked: [boolean, boolean];
  readonly folded: [boolean, boolean];
  /** Others cleared something, and this process has not heard of it. */
  readonly unheard: [boolean, boolean];
  /** It counts for a user of whose deletion it has not heard: its next save finds that out. */
  readonly late: [boolean, boolean];
  /** A save whose fate the process does not know: what of it is not in the database. Null where there is none. */
  readonly doubt: [Counts | null, Counts | null];
  /** What the store's own thread saved for a process that did not come to it, and does not know. */
  readonly stoodIn: [Counts, Counts];
  /** What was deleted and reset, as it is to be told. */
  readonly deeds: string[];
}

export function nothing(): Model {
  return {
    saved: {},
    own: [{}, {}],
    unsaved: [{}, {}],
    forgotten: [new Set(), new Set()],
    known: [new Set(), new Set()],
    untold: [new Set(), new Set()],
    unlocked: [false, false],
    folded: [false, false],
    unheard: [false, false],
    late: [false, false],
    doubt: [null, null],
    stoodIn: [{}, {}],
    deeds: [],
  };
}

export function save(model: Model, me: Process, counts: Counts): void {
  if (model.folded[me]) leaveSession(model, me);
  for (const [key, n] of Object.entries({ ...counts })) {
    if (!model.unsaved[me][key]) continue;
    increase(model.saved, key, n);
    increase(model.own[me], key, n);
    increase(model.unsaved[me], key, -n);
  }
  model.unlocked[me] = false;
}

/** The store's own thread saves all there is. It could not where the process must first hear of something. */
export function standIn(model: Model, me: Process, saved: boolean): void {
  // A save that finds nothing to be saved any more has heard of it all the same.
  if (saved) heard(model, me);
  const unsaved = clean(model.unsaved[me]);
  const must = Object.keys(unsaved).length > 0;
  const may = model.doubt[me] === null && !model.folded[me] && !model.unheard[me];
  // What it saved once and nobody has heard of, it may save again.
  const can = must || Object.keys(model.stoodIn[me]).length > 0;
  if (saved && !(can && may)) throw new Error("it saved what it must not");
  if (!saved && must && may && !model.unlocked[me]) throw new Error("it saved nothing");
  if (!saved) return;
  save(model, me, unsaved);
  for (const [key, n] of Object.entries(unsaved)) increase(model.stoodIn[me], key, n);
}

/** What another process reset, and this one did not know to be saved, counts as after the reset. */
export function countsAsAfter(model: Model, me: Process, of: (key: string) => boolean): void {
  for (const [key, n] of Object.entries(model.stoodIn[me])) if (of(key)) increase(model.unsaved[me], key, n);
  drop(of, model.stoodIn[me]);
}

/** It was taken for dead: of those who were deleted meanwhile it asks for users whom it counts, and for no others. */
export function leaveSession(model: Model, me: Process): void {
  for (const user of model.untold[me]) if (!model.known[me].has(user)) model.forgotten[me].delete(user);
  model.untold[me].clear();
  model.own[me] = {};
  model.folded[me] = false;
  model.unlocked[me] = false;
  model.doubt[me] = null;
  model.stoodIn[me] = {};
}

export function heard(model: Model, me: Process): void {
  if (model.unheard[me]) model.doubt[me] = null;
  model.unheard[me] = false;
  model.late[me] = false;
  model.untold[me].clear();
}

/** Before it clears something itself, a process hears of the others, and settles what is in doubt. */
export function hear(model: Model, me: Process): void {
  if (model.folded[me]) leaveSession(model, me);
  else if (model.unheard[me]) heard(model, me);
  else {
    save(model, me, model.doubt[me] ?? {});
    if (model.doubt[me]) model.stoodIn[me] = {};
    model.doubt[me] = null;
  }
}

/** This process cleared something: it has heard of all that was cleared before, the other has yet to hear of it. */
export function cleared(model: Model, me: Process): void {
  model.doubt[me] = null;
  model.unheard[me] = false;
  if (!model.folded[me]) model.untold[me].clear();
  model.unheard[me === 0 ? 1 : 0] = true;
}

export function drop(of: (key: string) => boolean, ...all: Counts[]): void {
  for (const counts of all) for (const key of Object.keys(counts)) if (of(key)) delete counts[key];
}

export function increase(counts: Counts, key: string, n: number): void {
  counts[key] = (counts[key] ?? 0) + n;
}

export function plus(a: Counts, b: Counts): Counts {
  const sum = { ...a };
  for (const [key, n] of Object.entries(b)) increase(sum, key, n);
  return sum;
}

export function negative(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).map(([key, n]) => [key, -n]));
}

export function clean(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0));
}
