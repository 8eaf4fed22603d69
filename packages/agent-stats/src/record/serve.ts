import { takeUpDirectLine } from "./direct.ts";
import { assertGiven, can } from "./given.ts";
import { type ChannelLike, portOf, type StatsPort } from "./port.ts";
import type { Recorder } from "./recorder.ts";
import { URGENT } from "./row.ts";
import { type Request, requestOf } from "./wire.ts";

/** The channel to the host that was served last. */
const served = new WeakMap<Recorder, StatsPort>();

/**
 * Lets a host elsewhere keep what this recorder counts: across a `MessagePort`, a worker's or a child process's channel,
 * or a `WebSocket`. The host is told of the first change after it last asked; nothing is sent while nothing changes.
 * One host at a time: the last one to be served is told.
 *
 * @throws TypeError when it is no recorder, or no channel
 */
export function serveRecorder(recorder: Recorder, channel: ChannelLike): void {
  assertGiven(can(recorder, "recordedOf"), "recorder must be a Recorder");
  const port = portOf(channel);
  const answer = (request: Request): void => {
    if (request.agentStats === "forget") recorder.forgetUser(request.userId);
    if (request.agentStats === "add") recorder.addUser(request.userId);
    if (request.agentStats === "reset") recorder.reset(request.scope);
    const changed = recorder.takeChanges();
    const all = request.agentStats !== "get" || request.all;
    port.post({ agentStats: "stats", id: request.id, ...recorder.recordedOf(all ? recorder.rows() : changed) });
  };
  port.listen(
    (message) => {
      if (takeUpDirectLine(message, () => recorder.getServersStats())) return;
      const request = requestOf(message);
      if (request) answer(request);
    },
    () => {
      if (served.get(recorder) === port) recorder.listen(null);
    },
  );
  served.set(recorder, port);
  // A host that was here first, and lost its channel, learns by this that there is one again.
  port.post({ agentStats: "changed", urgent: false });
  recorder.listen((urgency) => port.post({ agentStats: "changed", urgent: urgency === URGENT }));
}
