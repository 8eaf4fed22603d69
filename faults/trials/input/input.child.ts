/** A process that fuzzes: where it dies or hangs, that is a finding of its own. */
import { answerCalls } from "../../remote/answer.ts";
import type { Fuzz, Order } from "./fuzz.ts";
import { fuzzCounting, fuzzKeys, unguarded } from "./fuzz-calls.ts";
import { fuzzCommands } from "./fuzz-cli.ts";
import { fuzzDoors, unguardedDoors } from "./fuzz-doors.ts";
import { fuzzNames, fuzzRows } from "./fuzz-files.ts";
import { fuzzHosts } from "./fuzz-hosts.ts";
import { fuzzAgents, fuzzReplies, fuzzRequests, unguardedServer } from "./fuzz-wire.ts";

const KINDS: Readonly<Record<string, Fuzz>> = {
  counting: fuzzCounting,
  keys: fuzzKeys,
  requests: fuzzRequests,
  replies: fuzzReplies,
  agents: fuzzAgents,
  hosts: fuzzHosts,
  doors: fuzzDoors,
  names: fuzzNames,
  rows: fuzzRows,
  commands: fuzzCommands,
  unguarded,
  "unguarded server": unguardedServer,
  "unguarded doors": unguardedDoors,
};

answerCalls({
  fuzz(order: Order) {
    const kind = KINDS[order.kind];
    if (!kind) throw new Error(`no such kind: ${order.kind}`);
    return kind(order);
  },
});
