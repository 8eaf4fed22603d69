import type { MqttServer } from "./mqtt-protocol.ts";

/** Bad user name or password, not authorized, bad authentication method: in MQTT 3.1.1 (4, 5) and 5.0. */
const LOGIN_CODES: ReadonlySet<unknown> = new Set([4, 5, 134, 135, 140]);

/** Connections open now by handle: several clients may share the key of one user and server. */
const openConnections = new WeakMap<MqttServer, number>();

/** What of a client says whether it wants its connection. */
export interface ConnectionOwner {
  readonly connected: boolean;
  /** True from the host's call of `end` on. */
  readonly disconnecting: boolean;
  /** The connection it has or tries, once it has tried one. */
  readonly stream?: { readonly destroyed?: boolean };
}

/** Counts what becomes of a client's connections. Each attempt ends in one outcome, or in none where the host ended it. */
export function connectionCounters(client: ConnectionOwner, server: MqttServer) {
  // "unknown": attached to a client that may have written its CONNECT before anybody listened.
  let phase: "unknown" | "trying" | "open" | "over" = client.connected ? "open" : "unknown";
  let ended = false;
  let lost = false;
  addOpen(server, phase === "open" ? 1 : 0);

  function begin(): void {
    phase = "open";
    addOpen(server, 1);
    server.add("connects");
    if (lost) server.add("reconnects");
  }

  function finish(): void {
    phase = "over";
    addOpen(server, -1);
    server.add("disconnects");
    lost = !client.disconnecting;
    if (lost) server.add("connectionLosses");
  }

  return {
    /** A CONNECT is written. */
    tried(): void {
      // MQTT.js waits for the end of one before the next; a host that calls `connect` or `reconnect` need not.
      if (phase === "open") finish();
      else if (phase === "trying") server.add("connectErrors");
      phase = "trying";
      ended = false;
      server.add("connectAttempts");
    },
    /** The broker answered it, with 0 for yes. */
    answered(code: unknown): void {
      if (phase === "open") return; // a second CONNACK is the broker's mistake, and no second connection
      if (phase !== "trying") server.add("connectAttempts");
      if (code === 0) begin();
      else {
        phase = "over";
        server.add(LOGIN_CODES.has(code) ? "connectAuthErrors" : "connectRefused");
      }
    },
    /** The connection is closed, or what was to become one. */
    closed(): void {
      // A host may connect anew before the last connection has closed: this is that one's end, counted already.
      if (phase === "trying" && client.stream?.destroyed === false) return;
      if (phase === "open") finish();
      else if (phase !== "over" && !(client.disconnecting || ended)) {
        if (phase === "unknown") server.add("connectAttempts");
        server.add("connectErrors");
      }
      phase = "over";
    },
    /** The host has ended the client. MQTT.js may say so before it closes, and forgets `disconnecting` in between. */
    ended(): void {
      ended = true;
    },
    /** Nothing is counted from here on. */
    stop(): void {
      if (phase === "open") addOpen(server, -1);
    },
  };
}

function addOpen(server: MqttServer, change: number): void {
  const open = (openConnections.get(server) ?? 0) + change;
  openConnections.set(server, open);
  server.set("connected", open);
}
