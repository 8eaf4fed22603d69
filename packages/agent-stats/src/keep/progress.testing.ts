/** For tests of what is saved of a recorder. */
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { progressOf } from "./progress.ts";

export const smp = defineProtocol("smp", { sent: "sent", received: "received", a: "a", b: "b" });
export const xftp = defineProtocol("xftp", { sent: "files sent", files: "files" });

/** A recorder with two keys, what is known of it, and a batch of all that changed, in so many words. */
export function withTwoKeys(past?: Record<string, number>) {
  const startFrom = past ? [{ protocol: "smp", userId: "1", server: "a", overall: past }] : [];
  const recorder = new Recorder({ protocols: [smp, xftp], startFrom });
  const progress = progressOf(recorder);
  const [a, b] = [recorder.server(smp, 1, "a"), recorder.server(xftp, 2, "b")];
  let saves = 0;
  const collect = (hour = 7) => progress.collect({ session: 1, save: ++saves, seen: 0, at: 0, hour });
  const told = (batch: ReturnType<typeof collect>) => batch && [...batch.cells];
  const session = () => [0, 1].map((row) => [0, 1].map((index) => recorder.row(row)?.session(index)));
  return { recorder, progress, a, b, collect, told, session };
}
