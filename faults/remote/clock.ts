/** The clock of this process as programs read it: `Date`. Timers and the performance clock run as they do. */

const RealDate = Date;

export interface Clock {
  move(ms: number): void;
  set(at: number): void;
}

/** Replaces `Date` by one that can be moved. To be called before the library is used. */
export function nowWith(): Clock {
  let offset = 0;
  const now = () => RealDate.now() + offset;
  const Moved: DateConstructor = new Proxy(RealDate, {
    construct: (Target, given, self) =>
      Reflect.construct(Target, given.length === 0 ? [now()] : given, self === Moved ? Target : self),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  globalThis.Date = Moved;
  return {
    move(ms) {
      offset += ms;
    },
    set(at) {
      offset = at - RealDate.now();
    },
  };
}
