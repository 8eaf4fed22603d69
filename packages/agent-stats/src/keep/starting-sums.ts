import type { StartingSum } from "../record/recorder.ts";
import type { Sums } from "../store/store.ts";

/** What a store holds, as what a recorder starts from. */
export function startingSums({ keys, sums }: Sums): StartingSum[] {
  const known = new Map(keys.map((key) => [key.key, key]));
  return sums.flatMap(({ key, counter, past, open }) => {
    const of = known.get(key);
    return of ? [{ ...of, counter, value: past + open }] : [];
  });
}
