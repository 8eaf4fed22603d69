import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import type { Database } from "./database.ts";
import { type GuardOptions, isLaunch, isSecret, LAUNCH_PATH, refusalOf } from "./guard.ts";
import { HEADERS } from "./page.ts";
import { routesOf } from "./routes.ts";

export interface ViewerServerOptions {
  readonly database: Database;
  /** Whether users may be forgotten and everything reset. Default: false. */
  readonly canWrite?: boolean;
  /** Users who are shown only on request. Default: none. */
  readonly hiddenUsers?: readonly string[];
  /** Default: one that is free. */
  readonly port?: number;
  /** Ends itself when nobody has looked for so long. Default: 10 minutes. */
  readonly idleMs?: number;
}

export interface ViewerServer {
  /** The link for the owner. It works once. */
  readonly link: string;
  readonly port: number;
  /** Resolves when it has ended, by itself or by `close`. */
  readonly ended: Promise<"idle" | "closed">;
  close(): Promise<void>;
}

const IDLE_MS = 600_000;
const SECRET_BYTES = 32;
const secret = () => randomBytes(SECRET_BYTES).toString("base64url");

/** Serves the viewer to its owner, on this machine only, until nobody looks any more. */
export async function serveViewer(options: ViewerServerOptions): Promise<ViewerServer> {
  const { database, canWrite = false, hiddenUsers = [], idleMs = IDLE_MS } = options;
  const viewer = readFileSync(fileURLToPath(import.meta.resolve("agent-stats/viewer")), "utf8");
  const idle = idleness(idleMs);
  const csrf = secret();
  const app = routesOf({ database, viewer, csrf, canWrite, hiddenUsers, onLooking: idle.looking });
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const servers: Server[] = [];
  const hosts = new Set<string>();
  const guard = { hosts, csrf, cookie: secret(), cookieName: "" };
  const token = { value: secret() as string | null };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request, guard);
    if (refusal) refuse(response, refusal.status, refusal.why);
    else if (isLaunch(request)) launch(request, response, token, guard);
    else void answer(request, response);
    if (!refusal) idle.touch();
  };
  const port = await listen(servers, handle, options.port ?? 0).catch((error) => {
    // Its timer would keep a process that serves nobody.
    idle.stop();
    throw error;
  });
  for (const name of ["127.0.0.1", "[::1]"]) hosts.add(`${name}:${port}`);
  guard.cookieName = `agent-stats-${port}`;

  const close = async () => {
    idle.stop();
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done).closeAllConnections())));
    await database.close();
  };
  const ended = idle.over.then(async (why) => {
    await close();
    return why;
  });
  return {
    link: `http://127.0.0.1:${port}${LAUNCH_PATH}?token=${token.value}`,
    port,
    ended,
    async close() {
      idle.end("closed");
      await ended;
    },
  };
}

/** On 127.0.0.1, and on ::1 at the same port where this machine has it, so that nobody else can stand there. */
async function listen(
  servers: Server[],
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  wanted: number,
): Promise<number> {
  const open = (host: string, port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, handle);
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, () => {
        servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  const port = await open("127.0.0.1", wanted);
  await open("::1", port).catch(() => {});
  return port;
}

/** Swaps the token of the link for a cookie that no script can read. The second time it is worth nothing. */
function launch(
  request: IncomingMessage,
  response: ServerResponse,
  token: { value: string | null },
  { cookie, cookieName }: GuardOptions,
): void {
  const given = new URLSearchParams(request.url?.split("?")[1] ?? "").get("token");
  if (token.value === null || !isSecret(given, token.value)) {
    refuse(response, 401, "this link is used up: start agent-stats view again");
    return;
  }
  token.value = null;
  const set = `${cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=/`;
  response.writeHead(303, { ...HEADERS, location: "/", "set-cookie": set }).end();
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`Refused: ${why}.\n`);
}

interface Idleness {
  readonly over: Promise<"idle" | "closed">;
  touch(): void;
  looking(looking: boolean): void;
  end(why: "idle" | "closed"): void;
  stop(): void;
}

/** Nobody looks when no page is open and none has asked for a while. */
function idleness(idleMs: number): Idleness {
  let lookers = 0;
  let timer: NodeJS.Timeout | undefined;
  let end: Idleness["end"] = () => {};
  const over = new Promise<"idle" | "closed">((resolve) => {
    end = resolve;
  });
  const stop = () => clearTimeout(timer);
  const touch = () => {
    stop();
    if (lookers === 0) timer = setTimeout(() => end("idle"), idleMs);
  };
  const looking = (isLooking: boolean) => {
    lookers += isLooking ? 1 : -1;
    touch();
  };
  touch();
  return { over, touch, looking, end, stop };
}
