import { expect, test } from "vitest";
import { openAgentStats } from "../keep/open.ts";
import { readAgentStats } from "../keep/read.ts";
import { defineProtocol } from "../record/protocol.ts";
import { resolvePseudonym } from "../report/pseudonyms.ts";
import { memoryStore } from "../store/memory.ts";
import { storeSource, withReports } from "./own-source.ts";

const chat = defineProtocol("chat", { sent: "messages sent" });
const SERVER = "wss://chat.example";

async function counted() {
  const store = memoryStore();
  const stats = await openAgentStats({ store, protocols: [chat] });
  stats.server(chat, "anna", SERVER).add("sent", 1_009);
  await stats.flush();
  return { store, stats };
}

test("a store that is only looked at tells what readAgentStats tells", async () => {
  const { store, stats } = await counted();
  const [source, view] = [storeSource(store), readAgentStats({ store })];
  expect(await source.getServersStats()).toEqual(await view.getServersStats());
  expect(await source.getSessions()).toEqual(await view.getSessions());
  expect(await source.getTimeline({ by: "hour" })).toEqual(await view.getTimeline({ by: "hour" }));
  await stats.close();
});

test("reports are made in the page, and their keys kept where there is a place for them", async () => {
  const { store, stats } = await counted();
  const source = withReports(stats, [chat], store);
  const report = await source.makeReport?.({ caseId: null, coarse: false, publicServers: true, withoutUsers: [] });
  expect(report?.json).not.toMatch(/anna|chat\.example/);
  expect(await store.reportKeys()).toEqual([]);
  await source.keepReport?.(report?.id ?? "");
  const pseudonym = JSON.parse(report?.json ?? "").servers[0].server;
  expect(await resolvePseudonym(pseudonym, await store.reportKeys(), [SERVER])).toMatchObject([{ server: SERVER }]);
  const nowhere = withReports(stats, [chat], null);
  const lost = await nowhere.makeReport?.({ caseId: "a", coarse: true, publicServers: false, withoutUsers: [] });
  await expect(nowhere.keepReport?.(lost?.id ?? "")).rejects.toThrow();
  await stats.close();
});

test("what the source can do is what the page offers: its live state, its deletions and resets", async () => {
  const { stats, store } = await counted();
  const source = withReports(stats, [chat], store);
  expect(source.agentIsAway).toBe(false);
  await source.deleteUser?.("anna");
  expect((await source.getServersStats()).servers).toEqual([]);
  stats.server(chat, "bert", SERVER).add("sent");
  await source.reset?.();
  expect((await stats.getServersStats()).servers.flatMap(({ overall }) => Object.keys(overall))).toEqual([]);
  expect(source.onChange).toBeUndefined();
  await stats.close();
});
