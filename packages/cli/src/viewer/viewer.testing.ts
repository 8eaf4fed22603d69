import { type IncomingHttpHeaders, request } from "node:http";
import { onTestFinished } from "vitest";
import { database, KEY } from "../cli.testing.ts";
import { openDatabase } from "./database.ts";
import { serveViewer, type ViewerServer, type ViewerServerOptions } from "./server.ts";

/** A viewer over a real file; it is closed after the test. */
export async function served(
  make?: (file: string) => Promise<void>,
  options: Partial<ViewerServerOptions> = {},
): Promise<ViewerServer & { readonly db: string; readonly path: string; readonly args: readonly string[] }> {
  const { db, path, args } = await database(make);
  const server = await serveViewer({ database: openDatabase({ file: db, key: KEY }), ...options });
  onTestFinished(() => server.close());
  return { ...server, db, path, args };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** A list gives the same header more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly host?: string;
}

/** One request, as no browser would dare to send it. */
export function ask(port: number, { method = "GET", path = "/", headers = {}, body, host = "127.0.0.1" }: Asked) {
  return new Promise<Answer>((resolve, reject) => {
    const given = Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
    const withHost = "host" in headers ? given : ["host", `127.0.0.1:${port}`, ...given];
    const sent = body === undefined ? withHost : [...withHost, "content-length", String(Buffer.byteLength(body))];
    const asked = request({ host, port, method, path, headers: sent, setHost: false, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on("error", reject);
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: "" });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** What the owner's browser has after it followed the link. */
export async function signedIn({
  link,
  port,
}: ViewerServer): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const { headers } = await ask(port, { path: link.slice(link.indexOf("/launch")) });
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const about = await ask(port, { path: "/api/about", headers: { cookie } });
  return { cookie, csrf: JSON.parse(about.body).csrf };
}
