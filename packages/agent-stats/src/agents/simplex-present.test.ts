import { describe, expect, test } from "vitest";
import { address } from "./simplex.testing.ts";
import { toPresentedServersSummary } from "./simplex.ts";

describe("toPresentedServersSummary", () => {
  const live = (
    server: string,
    userId: string,
    gauges: Record<string, number>,
    overall: Record<string, number> = {},
  ) => ({
    protocol: server.split(":")[0] as string,
    userId,
    server,
    overall,
    live: gauges,
  });
  const named = (name: string) => address("smp", name);

  test("groups as SimpleX does", () => {
    const servers = [
      live(named("sessions"), "1", { connected: 0, sessionErrors: 0, connecting: 0 }),
      live(named("subs"), "1", { activeSubs: 0, pendingSubs: 1 }),
      live(named("before"), "1", {}, { sentProxied: 1 }),
      live(named("proxied"), "1", {}, { sentViaProxy: 1, connCompleted: 1 }),
    ];
    const { currentUserSMP } = toPresentedServersSummary({ trackedSince: new Date(0), servers }, { currentUser: 1 });
    const names = (list: readonly { smpServer?: string }[]) => list.map(({ smpServer }) => smpServer);
    expect(names(currentUserSMP.currentlyUsedSMPServers)).toEqual([named("sessions"), named("subs")]);
    expect(names(currentUserSMP.previouslyUsedSMPServers)).toEqual([named("before")]);
    expect(names(currentUserSMP.onlyProxiedSMPServers)).toEqual([named("proxied")]);
    expect(currentUserSMP.currentlyUsedSMPServers[0]).not.toHaveProperty("stats");
    expect(currentUserSMP.onlyProxiedSMPServers[0]).not.toHaveProperty("sessions");
  });

  test("leaves hidden users out of all users, but not the current one", () => {
    const servers = ["1", "2", "3"].map((userId, i) => live(named("a"), userId, {}, { recvMsgs: 10 ** i }));
    const sum = (currentUser: number) =>
      toPresentedServersSummary({ trackedSince: new Date(0), servers }, { currentUser, hiddenUsers: [2, 3] })
        .allUsersSMP.smpTotals.stats._recvMsgs;
    expect([sum(1), sum(2), sum(3)]).toEqual([1, 11, 101]);
  });

  test("shows sizes in KB, and totals that are the sums of what is shown", () => {
    const servers = ["a", "b"].map((name) => live(address("xftp", name), "1", {}, { uploadsSize: 1_500 }));
    const { allUsersXFTP } = toPresentedServersSummary({ trackedSince: new Date(0), servers }, { currentUser: 1 });
    expect(allUsersXFTP.previouslyUsedXFTPServers.map(({ stats }) => stats?._uploadsSize)).toEqual([1, 1]);
    expect(allUsersXFTP.xftpTotals.stats._uploadsSize).toBe(2);
  });

  test("leaves out what has no place in it", () => {
    const servers = [live("mqtts://a.example", "1", {}, { sent: 1 }), { ...live(named("a"), "", {}), server: "" }];
    const summary = toPresentedServersSummary({ trackedSince: new Date(0), servers }, { currentUser: 1 });
    expect(JSON.stringify(summary)).not.toContain("example");
  });
});
