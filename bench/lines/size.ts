import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Figure, LineResult } from "../support/line.ts";

/** `size-limit` holds the same in CI: see `.size-limit.json`. */
const ENTRY_BYTES = 4_096;

const ENTRY = 'export { openAgentStats, defineProtocol } from "agent-stats"';
const PEERS = [
  ["prom-client", 'export { Counter, Registry } from "prom-client"'],
  ["OpenTelemetry's SDK", 'export { MeterProvider } from "@opentelemetry/sdk-metrics"'],
] as const;

/** What a bundler makes of it: all of its parts, and those that are loaded with the entry. */
async function bundled(code: string): Promise<{ readonly entry: number; readonly all: number }> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    external: ["mqtt", "@signalapp/sqlcipher", "better-sqlite3-multiple-ciphers"],
    outdir: "out",
    write: false,
    metafile: true,
  });
  const sizes = outputFiles.map(({ path, contents }) => ({
    path,
    text: contents,
    size: gzipSync(contents, { level: 9 }).length,
  }));
  const entry = sizes.find(({ path }) => path.endsWith("stdin.js"));
  if (!entry) throw new Error("the bundler made no entry");
  return { entry: staticSize(entry, sizes), all: sizes.reduce((sum, { size }) => sum + size, 0) };
}

type Output = { readonly path: string; readonly text: Uint8Array; readonly size: number };

/** The entry and whatever it imports at once; what it imports later comes later. */
function staticSize(entry: Output, outputs: readonly Output[], seen = new Set<string>()): number {
  if (seen.has(entry.path)) return 0;
  seen.add(entry.path);
  const imported = [
    ...Buffer.from(entry.text)
      .toString()
      .matchAll(/(?:from|import)"\.\/([^"]+)"/g),
  ].map(([, name]) => name);
  const next = outputs.filter(({ path }) => imported.some((name) => name !== undefined && path.endsWith(`/${name}`)));
  return next.reduce((sum, output) => sum + staticSize(output, outputs, seen), entry.size);
}

function subpaths(): string[] {
  const manifest = fileURLToPath(new URL("../../../packages/agent-stats/package.json", import.meta.url));
  const { exports } = JSON.parse(readFileSync(manifest, "utf8")) as { exports: Record<string, unknown> };
  // The contract is a suite: it is never in what is shipped.
  return Object.keys(exports).filter((subpath) => !["./package.json", "./contract"].includes(subpath));
}

export async function size(): Promise<LineResult> {
  const [prom, otel] = await Promise.all(PEERS.map(([, code]) => bundled(code)));
  const entry = await bundled(ENTRY);
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
    const { all } = await bundled(`export * from "${name}"`);
    parts.push(bytes(`${name}, everything`, all, otel?.all ?? null, PEERS[1][0]));
  }
  return {
    measured:
      "Bundled, minified and gzipped by esbuild. The entry is what `import { openAgentStats, defineProtocol }` brings at once; what it loads when statistics are opened is told apart. Subpaths: everything that they export.",
    figures: [
      {
        ...bytes("entry", entry.entry, prom?.all ?? null, PEERS[0][0]),
        target: { of: "figure", atMost: ENTRY_BYTES },
      },
      bytes("entry, and what opening loads", entry.all, prom?.all ?? null, PEERS[0][0]),
      ...parts,
    ],
  };
}
