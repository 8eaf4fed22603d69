import type { CliContext } from "./context.ts";
import { SOURCE_USAGE } from "./flags.ts";
import type { RouteMap } from "./stricli.ts";

/** What `agent-stats` alone says. Stricli's own text would begin with every flag of every verb. */
export function rootHelp(routes: RouteMap<CliContext>): string {
  const entries = routes.getAllEntries().filter(({ hidden }) => !hidden);
  const longest = Math.max(...entries.map(({ name }) => name.original.length));
  const verbs = entries.map(({ name, target }) => `  ${name.original.padEnd(longest)}  ${target.brief}`);
  return `USAGE
  agent-stats VERB ${SOURCE_USAGE}
  agent-stats VERB --help
  agent-stats --version

Shows the encrypted statistics that a messaging agent keeps on this device.
Most verbs only read; the app may go on counting, whatever is done here.

VERBS
${verbs.join("\n")}

THE KEY
  comes from a file: 64 hex digits or 32 bytes, or with --passphrase-file a
  passphrase; - is stdin. Or from the system's keychain, by --keychain. Or it is
  asked for on a terminal. Never from a flag's value or the environment, where
  others could read it.

EXIT CODES
  0  ok
  1  doctor or verify found something; or anything that has no code of its own
  2  usage: the command cannot be understood
  3  the key cannot be read, or does not open the database
  4  there are no statistics at this path, or none of that name
  5  what is there is damaged, of a later version, or of another kind
`;
}
