/** Hostile messages across a channel, to both ends: neither throws, and nothing is counted, reset or forgotten by them. */
import {
  type ChannelLike,
  connectRecorder,
  defineProtocol,
  keepStats,
  memoryStore,
  Recorder,
  serveRecorder,
} from "agent-stats";
import fc from "fast-check";
import { MARK } from "../../oracle/canary.ts";
import { anything, checked, checkedNow, expect, type Fuzz } from "./fuzz.ts";

const protocol = defineProtocol("smp", { sent: "messages sent", errors: { help: "refused", error: true } });

/** A channel whose other end is this file. */
function channel() {
  let heard: (message: unknown) => void = () => {};
  const posted: Record<string, unknown>[] = [];
  const end: ChannelLike = {
    postMessage: (message) => void posted.push(message as Record<string, unknown>),
    on: (event, listener) => {
      if (event === "message") heard = listener;
    },
  };
  return { end, posted, deliver: (message: unknown) => heard(message) };
}

const users = fc.oneof(fc.constantFrom<unknown>("1", "2"), anything);
const scope = fc.oneof(
  fc.record(
    { protocol: fc.constantFrom<unknown>("smp", "xftp"), userId: users, server: fc.constantFrom<unknown>(MARK, "b") },
    { requiredKeys: [] },
  ),
  anything,
);
const request = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        agentStats: fc.constantFrom<unknown>("get", "forget", "add", "reset", "stats", "changed", 5),
        id: fc.oneof(fc.nat(), anything),
        all: anything,
        userId: users,
        scope,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: anything },
);

const FIELDS = ["protocol", "userId", "server"];
const isName = (value: unknown) =>
  typeof value === "string" && value.length > 0 && value.length <= 4_096 && !/\p{Cs}/u.test(value);

/** Which keys a message drops or empties, if it is one that does: said in other words than the library's. */
export function effectOf(message: unknown): {
  readonly isRequest: boolean;
  readonly hits: (key: Record<string, string>) => boolean;
} {
  const none = { isRequest: false, hits: () => false };
  if (typeof message !== "object" || message === null) return none;
  const { agentStats, id, userId, scope: given } = message as Record<string, unknown>;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) return none;
  if (agentStats === "get") return { isRequest: true, hits: () => false };
  if ((agentStats === "forget" || agentStats === "add") && isName(userId)) {
    return { isRequest: true, hits: (key) => agentStats === "forget" && key.userId === userId };
  }
  if (agentStats !== "reset" || typeof given !== "object" || given === null || Array.isArray(given)) return none;
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  if (!fields.every(([field, value]) => FIELDS.includes(field) && isName(value))) return none;
  return { isRequest: true, hits: (key) => fields.every(([field, value]) => key[field] === value) };
}

const KEYS = ["1", "2"].flatMap((userId) => [MARK, "b"].map((server) => ({ protocol: "smp", userId, server })));

export const fuzzRequests: Fuzz = async (order) =>
  checkedNow(order, fc.array(request, { minLength: 1, maxLength: 4 }), (messages) => {
    const recorder = new Recorder({ protocols: [protocol] });
    for (const { userId, server } of KEYS) recorder.server(protocol, userId, server).add("sent", 7);
    const { end, posted, deliver } = channel();
    serveRecorder(recorder, end);
    const left = new Set(KEYS);
    for (const message of messages) {
      posted.length = 0;
      deliver(message);
      const { isRequest, hits } = effectOf(message);
      for (const key of KEYS) if (hits(key)) left.delete(key);
      const answers = posted.filter((each) => each.agentStats === "stats");
      expect(
        answers.length === (isRequest ? 1 : 0),
        `${answers.length} answers to ${isRequest ? "a request" : "nothing"}`,
      );
    }
    const total = recorder.getServersStats().servers.reduce((all, { session }) => all + (session.sent ?? 0), 0);
    expect(total === left.size * 7, `${total} is left of what should be ${left.size * 7}`);
  });

const count = fc.oneof(fc.nat(), anything);
const counters = fc.oneof(fc.dictionary(fc.constantFrom("sent", "errors", "unknown", "__proto__"), count), anything);
const entry = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        protocol: fc.constantFrom<unknown>("smp", "xftp", 5),
        userId: users,
        server: fc.oneof(fc.constantFrom<unknown>(MARK), anything),
        session: counters,
        total: counters,
        live: counters,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: anything },
);
const reply = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        agentStats: fc.constantFrom<unknown>("stats", "changed", "get"),
        id: fc.oneof(fc.nat(3), anything),
        session: anything,
        servers: fc.oneof(fc.array(entry, { maxLength: 4 }), anything),
        rejected: anything,
        urgent: anything,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: anything },
);

const isCount = (value: unknown) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

export const fuzzReplies: Fuzz = async (order) =>
  checked(order, fc.array(reply, { minLength: 1, maxLength: 4 }), async (messages) => {
    const { end, deliver } = channel();
    const agent = connectRecorder(end);
    const asked = agent.getServersStats();
    for (const message of messages) deliver(message);
    deliver({ agentStats: "stats", id: 1, session: "s", servers: [], rejected: {} });
    const { servers, session } = await asked;
    expect(session === null || isName(session), "a session is no name");
    for (const each of servers) {
      expect([each.protocol, each.userId, each.server].every(isName), "a key is no key");
      expect(
        [...Object.values(each.session), ...Object.values(each.total)].every(isCount),
        "a counter is no whole number",
      );
      expect(Object.values(each.live).every(Number.isFinite), "a gauge is no number");
    }
  });

/** An agent in the same thread that lies: its answers are objects, with all that objects can do. */
export const fuzzAgents: Fuzz = async (order) =>
  checked(
    order,
    fc.array(
      fc.oneof(
        fc.record({ session: fc.constantFrom<unknown>("a", "b", null), servers: fc.array(entry, { maxLength: 3 }) }),
        anything,
      ),
      { minLength: 1, maxLength: 3 },
    ),
    async (answers) => {
      let at = 0;
      const agent = { getServersStats: () => answers[Math.min(at++, answers.length - 1)], listen: () => {} };
      const stats = await keepStats({ agent, protocols: [protocol], store: memoryStore(), onProblem: () => {} });
      for (const _ of answers) await stats.flush();
      const { servers } = await stats.getServersStats();
      for (const { protocol: of, overall } of servers) {
        expect(of === "smp", "a protocol came to be that the host does not know");
        expect(Object.values(overall).every(isCount), "a sum is no whole number");
      }
      await stats.close();
    },
  );

/** The control: a server that believes what it is sent. */
export async function unguardedServer(order: { readonly seed: number; readonly runs: number }) {
  return checkedNow(order, request, (message) => {
    const { agentStats, scope: given } = message as { agentStats: string; scope: object };
    if (agentStats === "reset") Object.keys(given);
    if (agentStats === "forget") (message as { userId: string }).userId.trim();
  });
}
