import type { CliContext } from "../context.ts";

export type Shell = "bash" | "zsh" | "fish";

/** `agent-stats completion SHELL`: what a shell has to read to complete verbs and flags. */
export function completion(this: CliContext, _: object, shell: Shell): void {
  this.process.stdout.write(SCRIPTS[shell]);
}

/** Each asks the command itself, so that it never tells of another version; where it has nothing to say, files. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for agent-stats: source <(agent-stats completion bash)
_agent_stats() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(agent-stats __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _agent_stats agent-stats
`,
  zsh: `#compdef agent-stats
# zsh completion for agent-stats: source <(agent-stats completion zsh), after compinit
_agent_stats() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(agent-stats __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe 'agent-stats' found; else _files; fi
}
compdef _agent_stats agent-stats
`,
  fish: `# fish completion for agent-stats: agent-stats completion fish | source
function __agent_stats
  set -l words (commandline -opc)
  agent-stats __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c agent-stats -a '(__agent_stats)'
`,
};
