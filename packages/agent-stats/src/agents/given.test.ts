import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { expectRefused, SECRET } from "../record/given.testing.ts";
import { Recorder } from "../record/recorder.ts";
import { memoryStore } from "../store/memory.ts";
import { countMqtt, mqtt } from "./mqtt.ts";
import {
  fieldOf,
  formatSimplexServer,
  importSimplex,
  parseSimplex,
  parseSimplexServer,
  serverIdentity,
  toPresentedServersSummary,
  watchSimplex,
} from "./simplex.ts";

const noObject = [null, 5, SECRET, Symbol(SECRET), () => SECRET] as never[];
const nothing = [undefined as never, ...noObject];
const noText = [undefined, null, 5, {}, Symbol(SECRET)] as never[];

const client = Object.assign(new EventEmitter(), { options: {}, connected: false, disconnecting: false });
const server = new Recorder().server(mqtt, 1, "mqtt://a");
const read = parseSimplex({ servers_stats: null, started_at: "2026-01-01 00:00:00" });
const stats = { trackedSince: new Date(0), servers: [] };
const address = { protocol: "smp", keyHash: "YWJj", hosts: ["a"], port: null } as const;
const watched = { url: "ws://127.0.0.1:9", store: memoryStore(), signal: AbortSignal.abort() };

test.each<[string, never[], (given: never) => unknown, RegExp]>([
  [
    "a client of MQTT",
    [...nothing, new EventEmitter() as never],
    (given) => countMqtt(given, server),
    /client must be/,
  ],
  ["a handle", [...nothing, {} as never], (given) => countMqtt(client, given), /server must be a handle/],
  ["options to count by", noObject, (given) => countMqtt(client, server, given), /options must be an object/],
  [
    "who names messages",
    [null, 5, {}] as never[],
    (messageId) => countMqtt(client, server, { messageId }),
    /messageId/,
  ],
  ["options to parse by", noObject, (given) => parseSimplex({}, given), /options must be an object/],
  ["a current user", [{}, Symbol(SECRET)] as never[], (given) => parseSimplex({}, { currentUser: given }), /user's id/],
  ["an address", noText, (given) => parseSimplexServer(given), /it is no text/],
  [
    "a server to be written",
    [...nothing, {} as never],
    (given) => formatSimplexServer(given),
    /parseSimplexServer reads/,
  ],
  ["a server's hosts", [...nothing], (hosts) => formatSimplexServer({ ...address, hosts }), /parseSimplexServer reads/],
  ["a server to be told apart", nothing, (given) => serverIdentity(given), /parseSimplexServer reads/],
  ["a counter", noText, (given) => fieldOf(given), /counter must be a name/],
  [
    "what is presented",
    [...nothing, {} as never],
    (given) => toPresentedServersSummary(given, { currentUser: 1 }),
    /getServersStats/,
  ],
  ["how it is presented", nothing, (given) => toPresentedServersSummary(stats, given), /options must be an object/],
  [
    "whose it is",
    noText.filter((each) => each !== 5),
    (currentUser) => toPresentedServersSummary(stats, { currentUser }),
    /user's id/,
  ],
  [
    "who is hidden",
    [5, [{}]] as never[],
    (hiddenUsers) => toPresentedServersSummary(stats, { currentUser: 1, hiddenUsers }),
    /must be lists|user's id/,
  ],
  [
    "since when",
    [null, "x", new Date(Number.NaN)] as never[],
    (statsStartedAt) => toPresentedServersSummary(stats, { currentUser: 1, statsStartedAt }),
    /must be a date/,
  ],
  ["where it is imported to", [...nothing, {} as never], (given) => importSimplex(given, read), /store says where/],
  [
    "what is imported",
    [...nothing, {} as never, { ...read, startedAt: 5 } as never],
    (given) => importSimplex(memoryStore(), given),
    /parseSimplex reads/,
  ],
  ["what is watched", nothing, (given) => watchSimplex(given), /options must be an object/],
  ["where it is", noText, (url) => watchSimplex({ ...watched, url }), /url must be/],
  ["where it is kept", nothing, (store) => watchSimplex({ ...watched, store }), /store says where/],
  ["until when", nothing, (signal) => watchSimplex({ ...watched, signal }), /signal must be/],
  [
    "who is told",
    [null, 5] as never[],
    (onEvent) => watchSimplex({ ...watched, onEvent }),
    /onEvent must be a function/,
  ],
])("%s that is none is refused, in a sentence that does not repeat it", async (_, wrong, call, says) => {
  for (const given of wrong) await expectRefused(() => call(given), says);
  expect(client.eventNames()).toEqual([]);
});
