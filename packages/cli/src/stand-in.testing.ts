/** A stand-in for a SimpleX core: a real WebSocket server that answers as one does, and misbehaves when told to. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { toPresentedServersSummary } from "agent-stats/simplex";
import { type WebSocket, WebSocketServer } from "ws";
import { address } from "./simplex.testing.ts";

type Counts = Map<string, number>;

interface User {
  readonly chatId: number;
  readonly agentId: number;
  /** By server and counter, e.g. `smp a recvMsgs`: since the core's counters began. */
  counts: Counts;
}

/** How it misbehaves; each lasts until it is set back, those with a number so many answers. */
export interface Faults {
  /** Milliseconds before each answer. */
  slowMs: number;
  silent: number;
  drop: number;
  garbage: number;
  wrongUser: number;
  wrongType: number;
  lateTwins: number;
  stale: number;
  malformed: number;
  incompleteList: number;
  events: boolean;
  newEnvelope: boolean;
  /** The only user who can be asked about; null: everybody. */
  active: number | null;
}

const NONE: Faults = {
  slowMs: 0,
  silent: 0,
  drop: 0,
  garbage: 0,
  wrongUser: 0,
  wrongType: 0,
  lateTwins: 0,
  stale: 0,
  malformed: 0,
  incompleteList: 0,
  events: false,
  newEnvelope: false,
  active: null,
};

export class StandInCore {
  readonly faults: Faults = { ...NONE };
  /** What it counted in all its lives, of users who exist: `<agent's user> <server and counter>`. The oracle. */
  readonly truth = new Map<string, number>();
  readonly users = new Map<number, User>();
  startedAt = new Date("2026-05-04T03:02:01.500Z");
  /** The faults that bit. */
  readonly taken = new Set<string>();
  /** How many answers were sent. */
  answers = 0;
  port = 0;
  #server: WebSocketServer | null = null;
  #lastId = 0;
  #stale = new Map<number, Counts>();

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#server = new WebSocketServer({ host: "127.0.0.1", port: this.port });
    this.#server.on("connection", (socket) => {
      socket.on("message", (data) => this.#asked(socket, JSON.parse(String(data))));
      socket.on("error", () => {});
    });
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Every connection is cut; the counters stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  }

  behave(): void {
    Object.assign(this.faults, NONE, { newEnvelope: this.faults.newEnvelope });
  }

  addUser(): User {
    this.#lastId += 1;
    // Never the same: who mixes them up is seen.
    const user = { chatId: this.#lastId, agentId: this.#lastId + 100, counts: new Map() };
    this.users.set(user.chatId, user);
    return user;
  }

  deleteUser(chatId: number): void {
    const user = this.users.get(chatId);
    this.users.delete(chatId);
    for (const cell of this.truth.keys()) if (cell.startsWith(`${user?.agentId} `)) this.truth.delete(cell);
  }

  count(chatId: number, cell: string, n: number): void {
    const user = this.users.get(chatId);
    if (!user) return;
    user.counts.set(cell, (user.counts.get(cell) ?? 0) + n);
    const name = `${user.agentId} ${cell}`;
    this.truth.set(name, (this.truth.get(name) ?? 0) + n);
  }

  /** Remembers what it would answer now, to answer it later, when it is stale. */
  remember(): void {
    this.#stale = new Map([...this.users.values()].map(({ chatId, counts }) => [chatId, new Map(counts)]));
  }

  /** All counters begin anew: with a new date as after a reset, or under the old one as after a failed restore. */
  zero(startedAt = this.startedAt): void {
    this.startedAt = startedAt;
    this.#stale.clear();
    for (const user of this.users.values()) user.counts = new Map();
  }

  #asked(socket: WebSocket, { corrId, cmd }: { corrId: string; cmd: string }): void {
    if (this.#takes("drop")) {
      socket.terminate();
      return;
    }
    if (this.faults.events) socket.send(JSON.stringify({ resp: { type: "newChatItems", chatItems: [{ corrId }] } }));
    if (this.#takes("silent")) return;
    const answer = () => {
      this.answers += 1;
      for (const message of this.#answersTo(corrId, cmd)) if (socket.readyState === 1) socket.send(message);
    };
    if (this.faults.slowMs > 0) setTimeout(answer, this.faults.slowMs);
    else answer();
  }

  #answersTo(corrId: string, cmd: string): string[] {
    const wrap = (resp: object, id: unknown = corrId) =>
      JSON.stringify({ corrId: id, resp: this.faults.newEnvelope ? { Right: resp } : resp });
    if (this.#takes("garbage")) return ["", "{", "[1]", "null", '{"corrId":7}', wrap({ type: "x" }, null), corrId];
    if (this.#takes("wrongType")) return [wrap({ type: "cmdOk" })];
    const answer = this.#answerTo(cmd);
    // An id that nobody asked with, and one that was answered already, with other numbers in them.
    const twins = this.#takes("lateTwins") ? [wrap(this.#twin(answer), `${corrId}0`), wrap(answer)] : [];
    return [...twins, wrap(answer), ...(twins.length > 0 ? [wrap(this.#twin(answer))] : [])];
  }

  #answerTo(cmd: string): object {
    const [, asked] = /^\/get servers summary (\d+)$/.exec(cmd) ?? [];
    if (cmd === "/users") {
      const users = [...this.users.values()].slice(this.#takes("incompleteList") ? 1 : 0);
      return { type: "usersList", users: users.map((user) => ({ user: this.#named(user), unreadCount: 0 })) };
    }
    const user = this.users.get(Number(asked));
    const isRefused = this.faults.active !== null && this.faults.active !== user?.chatId;
    if (!user || isRefused) return { type: "chatCmdError", chatError: { type: "error" } };
    if (this.#takes("wrongUser")) {
      const other = [...this.users.values()].find(({ chatId }) => chatId !== user.chatId) ?? user;
      return this.#summaryOf(other, other.counts);
    }
    const counts = this.#takes("stale") ? (this.#stale.get(user.chatId) ?? user.counts) : user.counts;
    const summary = this.#summaryOf(user, counts);
    return this.#takes("malformed") ? JSON.parse(JSON.stringify(summary).replace(/:\d+([,}])/, ":-1.5$1")) : summary;
  }

  #summaryOf(user: User, counts: Counts) {
    const servers = new Map<
      string,
      { protocol: string; userId: string; server: string; overall: Record<string, number> }
    >();
    for (const [cell, value] of counts) {
      const [protocol, name, counter] = cell.split(" ") as ["smp" | "xftp" | "ntf", string, string];
      const server = address(protocol, name);
      const row = servers.get(server) ?? { protocol, userId: "1", server, overall: {} };
      servers.set(server, row);
      row.overall[counter] = value;
    }
    const rows = [...servers.values()].map((row) => ({
      ...row,
      live:
        row.protocol === "smp" ? { connected: 1, sessionErrors: 0, connecting: 0, activeSubs: 3, pendingSubs: 1 } : {},
    }));
    const stats = { trackedSince: this.startedAt, servers: rows };
    const serversSummary = toPresentedServersSummary(stats, { currentUser: 1 });
    return { type: "agentServersSummary", user: this.#named(user), serversSummary };
  }

  #named({ chatId, agentId }: User) {
    return {
      userId: chatId,
      agentUserId: String(agentId),
      localDisplayName: `user ${chatId}`,
      activeUser: chatId === 1,
    };
  }

  /** The same answer with other numbers. */
  #twin(answer: object): object {
    const text = JSON.stringify(answer);
    return JSON.parse(text.replaceAll(/("_\w+":)(\d+)/g, (_, field: string, n: string) => field + (Number(n) + 7)));
  }

  #takes(fault: keyof Faults): boolean {
    const left = this.faults[fault];
    if (typeof left !== "number" || left <= 0) return false;
    this.faults[fault] = (left - 1) as never;
    this.taken.add(fault);
    return true;
  }
}
