import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { closedDatabase, folder, KEY, MAIN, PACKAGE } from "./cli.testing.ts";
import { keyOf } from "./keychain.ts";

const SERVICE = `agent-stats-test-${process.pid}`;

/**
 * Puts entries into the kernel's keyring, which is what a Linux without a desktop has, and runs the command there. In a
 * session of its own, as `keyctl session` makes one: without one, some machines let nobody in.
 */
const SCRIPT = `
  import { spawnSync } from "node:child_process";
  import { Entry } from "@napi-rs/keyring";
  const [service, key, main, db] = process.argv.slice(1);
  const store = { linux: { store: "keyutils" } };
  const entries = [["agent-stats", key], ["anna", "00".repeat(32)]].map(([account, secret]) => {
    const entry = new Entry(service, account, store);
    entry.setPassword(secret);
    return entry;
  });
  const names = [service, service + "/agent-stats", service + "/anna", service + "/nobody"];
  const seen = names.map((name) => {
    const args = [main, "show", "--db", db, "--keychain", name];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, stderr };
  });
  for (const entry of entries) entry.deletePassword();
  console.log(JSON.stringify(seen));`;

test("the key comes out of a real keychain, by service, or service and account", async () => {
  const skip = (reason: string) => console.info(`skipped: the key out of a real keychain: ${reason}`);
  if (process.platform !== "linux") return skip("only Linux has a keyring in its kernel");
  const db = join(folder(), "stats.db");
  await closedDatabase(db);
  const node = [process.execPath, "--input-type=module", "-e", SCRIPT, SERVICE, KEY, MAIN, db];
  const inSession = spawnSync("keyctl", ["session", "-", ...node], { encoding: "utf8", cwd: PACKAGE });
  const { status, stdout, stderr } = inSession.error
    ? spawnSync(node[0] as string, node.slice(1), { encoding: "utf8", cwd: PACKAGE })
    : inSession;
  const denied = /AccessDenied|keyctl_\w+|not permitted/.exec(stderr);
  if (status !== 0 && denied) return skip(`the kernel's keyring is closed here (${denied[0]}); keyutils may open it`);
  expect({ status, stderr: stderr.replace(/^Joined session keyring.*\n/, "") }).toEqual({ status: 0, stderr: "" });
  const [byService, byAccount, wrong, none] = JSON.parse(stdout);
  expect([byService, byAccount]).toEqual([
    { status: 0, stderr: "" },
    { status: 0, stderr: "" },
  ]);
  expect(wrong).toMatchObject({ status: 3, stderr: expect.stringContaining("[STATS_KEY_REJECTED]") });
  expect(none.status).toBe(3);
  expect(none.stderr).toMatch(/^agent-stats: [^\n]+ \[KEYCHAIN_NO_ENTRY\]\n$/);
  expect(none.stderr).not.toContain(SERVICE);
});

test("what an entry holds is a key, or a passphrase, or refused", () => {
  const bytes = Buffer.alloc(32, 0xd3);
  expect(keyOf(bytes)).toBe(bytes);
  expect(keyOf(Buffer.from(`${KEY}\n`))).toBe(KEY);
  expect(keyOf(Buffer.from("a passphrase of exactly 32 chars"))).toEqual({
    passphrase: "a passphrase of exactly 32 chars",
  });
  expect(() => keyOf(Buffer.alloc(31, 0xd3))).toThrow("neither");
  expect(() => keyOf(Buffer.from(""))).toThrow("empty");
});
