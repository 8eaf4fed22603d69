import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agentStats, folder, MAIN } from "../cli.testing.ts";

const has = (program: string) => spawnSync(program, ["-c", "exit 0"]).status === 0;

describe("completion", () => {
  test.each(["bash", "zsh", "fish"])("of %s asks the command itself", async (shell) => {
    const { code, stdout, stderr } = await agentStats(["completion", shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("agent-stats __complete");
    if (!has(shell)) return console.info(`skipped: the syntax of ${shell}: ${shell} is not installed`);
    const file = join(folder(), "completion");
    writeFileSync(file, stdout);
    expect(spawnSync(shell, ["-n", file], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  test("proposes verbs and flags, each with its meaning, and no error", async () => {
    const proposed = async (...words: string[]) => (await agentStats(["__complete", ...words])).stdout.split("\n");
    expect(await proposed("doc")).toEqual([expect.stringMatching(/^doctor\tSays what is wrong/), ""]);
    expect(await proposed("show", "--key")).toEqual([
      expect.stringMatching(/^--key-file\t/),
      expect.stringMatching(/^--keychain\t/),
      "",
    ]);
    expect(await proposed("import", "s")).toEqual([expect.stringMatching(/^simplex\t/), ""]);
    for (const words of [["nothing"], ["show", "--constructor"], []]) {
      expect(await agentStats(["__complete", ...words])).toMatchObject({ code: 0, stderr: "" });
    }
  });

  test.skipIf(process.platform === "win32")("works in bash", () => {
    const script = `
      agent-stats() { "${process.execPath}" "${MAIN}" "$@"; }
      source <(agent-stats completion bash)
      COMP_WORDS=(agent-stats tim) COMP_CWORD=1
      _agent_stats
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(spawnSync("bash", ["-c", script], { encoding: "utf8" })).toMatchObject({ stdout: "timeline\n", stderr: "" });
  });

  test("of a shell that nobody knows: 2", async () => {
    expect(await agentStats(["completion", "tcsh"])).toMatchObject({ code: 2, stdout: "" });
  });
});
