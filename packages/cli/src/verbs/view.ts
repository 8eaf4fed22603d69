import type { CliContext } from "../context.ts";
import { CliError, warningOf } from "../errors.ts";
import type { ViewFlags } from "../flags-of-verbs.ts";
import { keyFor } from "../source.ts";
import { wrapWords } from "../text/cells.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What the page cannot mend while it is shown: all else it tells itself, and looks again. */
const KEY_REJECTED = "STATS_KEY_REJECTED";

/** No error: the page shows the file as soon as it is there. */
const NOT_THERE_YET: ReadonlySet<unknown> = new Set(["STATS_MISSING", "STATS_FOLDER_MISSING"]);
const NO_FILE = "there is no file at --db yet: the page waits until the app makes it.";

const PORT_TAKEN = "Something else listens at this port: give another one by --port, or none.";

/** No error: a profile may count for the first time while the page is open. */
const HIDES_NOBODY = "--hide names a user of whom there are no statistics: see agent-stats show for the names.";

/** `agent-stats view`: a page on this machine, for its owner only, until nobody looks any more. */
export async function view(this: CliContext, flags: ViewFlags): Promise<void> {
  const key = await keyFor(flags, this);
  const [{ openDatabase }, { serveViewer }] = await Promise.all([
    import("../viewer/database.ts"),
    import("../viewer/server.ts"),
  ]);
  const { db, driver, port, write = false, hide = [] } = flags;
  const database = openDatabase({ file: db, key, ...(driver !== undefined && { driver }) });
  const stats = await database.getServersStats().catch(async (error) => {
    if (NOT_THERE_YET.has(error?.code)) this.process.stderr.write(`${warningOf(NO_FILE, error.code)}\n`);
    if (error?.code !== KEY_REJECTED) return null;
    await database.close();
    throw error;
  });
  const isThere = (user: string) => stats?.servers.some(({ userId }) => userId === user);
  if (stats !== null && !hide.every(isThere)) this.process.stderr.write(`${warningOf(HIDES_NOBODY, "NOT_FOUND")}\n`);
  const options = { database, canWrite: write, hiddenUsers: hide, ...(port !== undefined && { port }) };
  const server = await serveViewer(options).catch(async (error) => {
    await database.close();
    throw error?.code === "EADDRINUSE" ? new CliError("PORT_TAKEN", PORT_TAKEN) : error;
  });
  const { link } = server;
  // Not opened from here: who lists this machine's processes would see the link before the browser has used it.
  const told = wrapWords("It opens once, in one browser. Ctrl-C ends it; so do ten minutes in which nobody looks.", 80);
  const text = `${link}\n\n${told.join("\n")}\n`;
  this.process.stdout.write(flags.json ? `${JSON.stringify({ link, port: server.port })}\n` : text);
  const end = () => void server.close();
  for (const signal of SIGNALS) process.on(signal, end);
  const how = await server.ended;
  for (const signal of SIGNALS) process.off(signal, end);
  if (how === "idle" && !flags.json) this.process.stdout.write("Nobody has looked for a while: ended.\n");
}
