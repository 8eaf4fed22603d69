import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Figure, LineResult } from "../support/line.ts";

/** `size-limit` holds in CI what is reached: see `.size-limit.js`. */
const ENTRY_BYTES = 4_096;

const ENTRY = 'export { openAgentStats, defineProtocol } from "agent-stats"';
/** Options 1 and 2 of the RFC: the host keeps. */
const COUNTING = 'export { Recorder, defineProtocol, serveRecorder } from "agent-stats"';
const PEERS = [
  ["prom-client", 'export { Counter, Registry } from "prom-client"'],
  ["OpenTelemetry's SDK", 'export { MeterProvider } from "@opentelemetry/sdk-metrics"'],
] as const;

/** How many bytes a bundler makes of it. */
async function bundled(code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    external: ["mqtt", "@signalapp/sqlcipher", "better-sqlite3-multiple-ciphers"],
    write: false,
  });
  return outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

function subpaths(): string[] {
  const { exports } = createRequire(import.meta.url)("agent-stats/package.json") as {
    exports: Record<string, unknown>;
  };
  // The contract is a suite: it is never in what is shipped.
  return Object.keys(exports).filter((subpath) => !["./package.json", "./contract"].includes(subpath));
}

export async function size(): Promise<LineResult> {
  const [prom, otel] = await Promise.all(PEERS.map(([, code]) => bundled(code)));
  const [entry, counting] = [await bundled(ENTRY), await bundled(COUNTING)];
  const bytes = (name: string, figure: number, baseline: number | null, against: string | null): Figure => ({
    name,
    unit: "bytes",
    figure,
    baseline,
    against,
    target: null,
  });
  const parts = [];
  for (const subpath of subpaths()) {
    const name = `agent-stats${subpath.slice(1)}`;
    const all = await bundled(`export * from "${name}"`);
    parts.push(bytes(`${name}, everything`, all, otel ?? null, PEERS[1][0]));
  }
  return {
    measured:
      "Bundled, minified and gzipped by esbuild. The entry is what `import { openAgentStats, defineProtocol }` brings; an agent whose host keeps (options 1 and 2) imports `Recorder` and `serveRecorder` instead. Subpaths: everything that they export.",
    figures: [
      {
        ...bytes("entry", entry, prom ?? null, PEERS[0][0]),
        target: { of: "figure", atMost: ENTRY_BYTES },
      },
      {
        ...bytes("entry of an agent that only counts", counting, prom ?? null, PEERS[0][0]),
        target: { of: "figure", atMost: ENTRY_BYTES },
      },
      ...parts,
    ],
  };
}
