import { expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { progressOf } from "./progress.ts";

const smp = defineProtocol("smp", { sent: "sent", received: "received", a: "a", b: "b" });
const xftp = defineProtocol("xftp", { sent: "files sent", files: "files" });

test("a user who is forgotten while a save is under way takes nothing of others with them", () => {
  const recorder = new Recorder({ protocols: [smp, xftp] });
  const progress = progressOf(recorder);
  const head = { session: 1, seen: 0, at: 0, hour: 1 };
  recorder.server(smp, 9, "smp://first").add("sent", 1);
  recorder.server(xftp, 1, "xftp://forgotten").add("files", 100);
  const other = recorder.server(smp, 2, "smp://behind");
  other.add("received", 7);
  const batch = progress.collect({ ...head, save: 1 });
  recorder.forgetUser(1);
  if (batch) progress.acknowledge(batch);
  other.add("received", 1);
  expect([...(progress.collect({ ...head, save: 2 })?.cells ?? [])]).toEqual([2, 1, 8]);
});
