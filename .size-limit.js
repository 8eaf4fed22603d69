// What is shipped, minified and gzipped: `npm run package-check` fails when it grows beyond this. The limits are what is
// reached, with a little room; `npm run bench -- --only size` shows each beside its target.
const DIST = "packages/agent-stats/dist";

/**
 * @param {string} name
 * @param {string} path
 * @param {string} limit
 * @param {string} [names] what is imported; all where it is left out
 */
const bundle = (name, path, limit, names) => ({
  name,
  path: `${DIST}/${path}`,
  import: names ?? "*",
  limit,
  gzip: true,
  ignore: ["mqtt", "@signalapp/sqlcipher", "better-sqlite3-multiple-ciphers"],
  /** @param {object} config */
  modifyEsbuildConfig: (config) => ({ ...config, platform: "node", format: "esm" }),
});

export default [
  bundle("an agent that only counts", "index.js", "4.6 kB", "{ Recorder, defineProtocol, serveRecorder }"),
  bundle("agent-stats, opened here", "index.js", "12 kB", "{ openAgentStats, defineProtocol }"),
  bundle("agent-stats/mqtt", "agents/mqtt.js", "4 kB"),
  bundle("agent-stats/diagnose", "summarise/diagnose.js", "9 kB"),
  bundle("agent-stats/sqlite", "store/sqlite/store.js", "11 kB"),
  bundle("agent-stats/sqlcipher", "store/sqlcipher/store.js", "28 kB"),
  bundle("agent-stats/simplex", "agents/simplex.js", "25 kB"),
  {
    ...{ name: "agent-stats/viewer", path: `${DIST}/viewer/viewer.js`, limit: "68 kB", gzip: true },
    // It was minified when it was built, and is shipped as it is.
    /** @param {object} config */
    modifyEsbuildConfig: (config) => ({ ...config, loader: { ".js": "copy" } }),
  },
];
