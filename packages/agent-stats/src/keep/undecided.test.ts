import { describe, expect, test } from "vitest";
import { withTwoKeys } from "./progress.testing.ts";
import { progressOf } from "./progress.ts";
import { split } from "./split.ts";

describe("a batch whose fate is not known", () => {
  test("is told again with the keys of all its rows where the store knows none of them any more", () => {
    const { progress, a, b, collect } = withTwoKeys();
    a.add("sent");
    b.add("sent");
    const first = collect();
    if (first) progress.acknowledge(first);
    progress.decided();
    b.add("files");
    a.add("sent");
    const second = collect();
    expect(second?.keys).toEqual([]);
    const [again] = second ? progress.withAllKeys([second]) : [];
    expect(again?.keys).toEqual([
      [0, "smp", "1", "a"],
      [1, "xftp", "2", "b"],
    ]);
    progress.decided();
    a.add("sent");
    expect(collect()?.keys).toEqual([[0, "smp", "1", "a"]]);
  });

  test("loses what it holds of a user who is forgotten, names too, and nothing else", () => {
    const { recorder, progress, a, b, collect } = withTwoKeys();
    a.add("sent", 5);
    b.add("files", 4);
    const batch = collect();
    recorder.forgetUser(1);
    const left = batch && progress.withoutForgotten(batch);
    expect([left?.keys, [...(left?.cells ?? [])]]).toEqual([[[1, "xftp", "2", "b"]], [1, 5, 4]]);
    expect(left).toMatchObject({ session: 1, save: 1, hour: 7 });
  });

  test("that is not in the database is collected anew, as what its hour holds; what others hold is not", () => {
    const { recorder, progress, a, b, collect, told } = withTwoKeys();
    a.add("sent", 5);
    b.add("files", 4);
    const first = collect();
    if (first) progress.acknowledge(first);
    progress.decided();
    a.add("sent", 1);
    a.add("b", 2);
    b.add("files", 1);
    const second = collect(8);
    expect(told(second)).toEqual([0, 0, 1, 0, 3, 2, 1, 5, 1]);
    // One of two parts of it arrived: the first row's.
    const cells = second?.cells.slice(6) ?? new Float64Array(0);
    if (second) progress.release({ ...second, cells });
    progress.decided();
    expect(recorder.takeChanges()).toHaveLength(1);
    b.add("files", 10);
    expect(told(collect(8))).toEqual([1, 5, 11]);
    // Once it is decided there is nothing to be taken back.
    progress.decided();
    if (second) progress.release(second);
    expect(collect(8)).toBeNull();
  });

  test("that is not in the database takes nothing with it, where a user of it was forgotten", () => {
    const { recorder, progress, a, b, collect, told } = withTwoKeys();
    a.add("sent", 5);
    b.add("files", 4);
    const batch = collect();
    recorder.forgetUser(1);
    if (batch) progress.release(batch);
    progress.decided();
    expect(told(collect())).toEqual([1, 5, 4]);
  });

  test("is left behind by a keeper only while its fate is not known, and only where there is one", () => {
    const { progress, a, collect } = withTwoKeys();
    a.add("sent", 5);
    const batch = collect();
    progress.leave([], 1);
    expect(progress.left).toBe(null);
    progress.decided();
    if (batch) progress.leave([batch], 1);
    expect(progress.left).toBe(null);
  });

  test("that was left behind is counted again but for the saves that have arrived after all", () => {
    const { progress, a, b, collect, told } = withTwoKeys();
    a.add("sent", 5);
    b.add("files", 4);
    const batch = collect();
    const parts = batch ? split(batch, 1, () => 2) : [];
    expect(parts.map(({ save }) => save)).toEqual([1, 2]);
    progress.leave(parts, 1);
    progress.takeOver(1);
    expect(told(collect(9))).toEqual([1, 5, 4]);
  });

  test("that a keeper left behind is the next one's to save", () => {
    const { recorder, progress, a, collect, told } = withTwoKeys();
    a.add("sent", 5);
    const batch = collect();
    if (batch) progress.leave([batch], 1);
    expect(progressOf(recorder)).toBe(progress);
    progress.takeOver();
    expect(told(collect(9))).toEqual([0, 0, 5]);
    // It was taken over once.
    progress.decided();
    expect(progressOf(recorder)).toBe(progress);
    expect(collect(9)).toBeNull();
  });
});
