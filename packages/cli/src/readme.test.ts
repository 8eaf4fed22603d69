import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agentStats, folder, keyFile, PACKAGE } from "./cli.testing.ts";
import { HISTORY_HOURS, MINE, sessionWithHistory } from "./history.testing.ts";
import { cells } from "./text/cells.ts";

const README = join(PACKAGE, "README.md");
/** Writes what the command says into the README, instead of comparing it. */
const UPDATE = process.env.UPDATE_README === "1";

/** A folder as the README has it: a database of days, its key, a report from before the last run, and a summary. */
async function readmeFolder() {
  const cwd = folder();
  keyFile(cwd);
  const db = join(cwd, "stats.db");
  const run = (...words: string[]) => agentStats([...words, "--db", "stats.db", "--key-file", "key"], { cwd });
  sessionWithHistory(db, { from: HISTORY_HOURS, to: 40 });
  const before = (await run("report", "--json", "--case", "bug-7")).stdout;
  writeFileSync(join(cwd, "before.json"), before);
  sessionWithHistory(db, { from: 37, to: 1 });
  writeFileSync(join(cwd, "summary.json"), (await run("export", "--format", "simplex-agent")).stdout);
  const mine = JSON.parse(before).servers.find(({ overall }: { overall: object }) => "sentQuotaErrs" in overall);
  return { cwd, pseudonym: mine.server as string };
}

/** Every `$ agent-stats …` of the README with what it says, run one after the other. */
async function filled(readme: string): Promise<string> {
  const { cwd, pseudonym } = await readmeFolder();
  const parts = readme.split(/^(```console\n[\s\S]*?^```)$/m);
  for (const [i, part] of parts.entries()) {
    if (!part.startsWith("```console")) continue;
    const commands = part.split("\n").filter((line) => line.startsWith("$ agent-stats "));
    const said: string[] = [];
    for (const command of commands) {
      const words = command
        .replace(/srv-[a-z2-7]{8}/, pseudonym)
        .split(" ")
        .slice(2);
      const { code, stdout, stderr } = await agentStats(words, { cwd });
      expect({ command, stderr, isKnown: code === 0 || (code === 1 && words[0] === "doctor") }).toMatchObject({
        stderr: "",
        isKnown: true,
      });
      // Servers and users stand there in an order that is another one in each report.
      const shown = words[0] === "diff" ? `${stdout.split("\n\nsrv-")[0]}\n…` : stdout.trimEnd();
      said.push(`${command}\n${shown}`);
    }
    parts[i] = `\`\`\`console\n${said.join("\n\n")}\n\`\`\``;
  }
  return parts.join("");
}

/** What is another one at each run: dates, and where they break a line; pseudonyms; where days begin among the bars. */
function masked(text: string): string {
  return text
    .replaceAll(/\n {4}(?=\S)/g, " ")
    .replaceAll(/\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?|T\d{2}:\d{2}Z)?/g, "DATE")
    .replaceAll(/since \d{1,2} [A-Z][a-z]+( \d{4})?/g, "since DAY")
    .replaceAll(/\(\d+ (s|min|h)( \d+ (s|min))? ago\)/g, "(AGO)")
    .replaceAll(/srv-[a-z2-7]{8}/g, "srv-NAME")
    .replaceAll(/^(pages|schema) +\d+$/gm, "$1 NUMBER")
    .replaceAll(/[▁▂▃▄▅▆▇█·]{2,}/g, "BARS");
}

describe("the README", () => {
  test("shows what each command says", { timeout: 60_000 }, async () => {
    const readme = readFileSync(README, "utf8");
    const now = await filled(readme);
    if (UPDATE) writeFileSync(README, now);
    else expect(masked(readme)).toBe(masked(now));
    expect(now).toContain(MINE.split(",")[0]);
  });

  test("of the project shows the same of doctor", async () => {
    const [readme, project] = [README, join(PACKAGE, "../../README.md")].map((path) => readFileSync(path, "utf8"));
    const told = /^ 1 {2}my\.example[\s\S]*?\(sentAuthErrs\)$/m;
    expect(masked(told.exec(project ?? "")?.[0] ?? "")).toBe(masked(told.exec(readme ?? "")?.[0] ?? "none"));
  });

  test("control: a number that is another one is seen, a date is not", () => {
    const [a, b] = ["18 % since 19 June\n423", "18 % since 2 July 2025\n423"];
    expect(masked(a)).toBe(masked(b));
    expect(masked(a)).not.toBe(masked(b.replace("423", "424")));
  });

  test("names every verb, and its lines fit", async () => {
    const readme = readFileSync(README, "utf8");
    const { stdout } = await agentStats([]);
    const verbs = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, verb]) => verb as string);
    expect(verbs.length).toBeGreaterThan(15);
    for (const verb of verbs) expect(readme).toMatch(new RegExp(`\\b${verb}\\b`));
    const printed = readme
      .split(/^```/m)
      .filter((_, i) => i % 2 === 1)
      .join("\n");
    // Lines that are typed, and those that a machine reads, are as long as they are.
    const forPeople = printed.split("\n").filter((line) => !/^(\$|# HELP|messaging_)/.test(line));
    for (const line of forPeople) expect(cells(line), line).toBeLessThanOrEqual(80);
  });
});
