import { changing } from "./catalogue-change.ts";
import { looking } from "./catalogue-look.ts";
import { sharing } from "./catalogue-share.ts";
import type { CliContext } from "./context.ts";
import { buildCommand } from "./stricli.ts";
import type { Shell } from "./verbs/completion.ts";

const SHELLS: readonly string[] = ["bash", "zsh", "fish"] satisfies readonly Shell[];

const shell = (input: string): Shell => {
  if (!SHELLS.includes(input)) throw new Error("it is no shell");
  return input as Shell;
};

/**
 * Every verb: what it is called, takes and says of itself. What it does stands in a file of its own in verbs/, which is
 * loaded when the verb is run, so that no verb makes another one wait.
 */
export const catalogue = {
  ...looking,
  ...sharing,
  ...changing,
  completion: buildCommand<object, [Shell], CliContext>({
    loader: async () => (await import("./verbs/completion.ts")).completion,
    parameters: {
      positional: { kind: "tuple", parameters: [{ parse: shell, placeholder: "SHELL", brief: "bash, zsh or fish" }] },
    },
    docs: {
      brief: "Prints what a shell needs to complete verbs and flags",
      customUsage: ["bash|zsh|fish"],
      fullDescription: `Prints what a shell has to read:

  source <(agent-stats completion bash)       in ~/.bashrc
  source <(agent-stats completion zsh)        in ~/.zshrc, after compinit
  agent-stats completion fish | source        in config.fish`,
    },
  }),
};
