import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { agentStats, closedDatabase, folder, KEY } from "./cli.testing.ts";
import { keyOf } from "./keychain.ts";

const SERVICE = `agent-stats-test-${process.pid}`;

/** The kernel's keyring: what a Linux without a desktop has. Some containers forbid it. */
async function kernelEntry(account: string, secret: string): Promise<boolean> {
  if (process.platform !== "linux") return skip("only Linux has a keyring in its kernel");
  try {
    const { Entry } = await import("@napi-rs/keyring");
    const entry = new Entry(SERVICE, account, { linux: { store: "keyutils" } });
    entry.setPassword(secret);
    onTestFinished(() => void entry.deletePassword());
    return true;
  } catch (error) {
    return skip(`the kernel's keyring cannot be used here: ${error instanceof Error ? error.message : error}`);
  }
}

function skip(reason: string): false {
  console.info(`skipped: the key out of a real keychain: ${reason}`);
  return false;
}

test("the key comes out of a real keychain, by service, or service and account", async () => {
  if (!(await kernelEntry("agent-stats", KEY)) || !(await kernelEntry("anna", "00".repeat(32)))) return;
  const db = join(folder(), "stats.db");
  await closedDatabase(db);
  const show = (name: string) => agentStats(["show", "--db", db, "--keychain", name]);
  expect(await show(SERVICE)).toMatchObject({ code: 0, stderr: "" });
  expect(await show(`${SERVICE}/agent-stats`)).toMatchObject({ code: 0 });
  expect(await show(`${SERVICE}/anna`)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("[STATS_KEY_REJECTED]"),
  });
  const none = await show(`${SERVICE}/nobody`);
  expect(none).toMatchObject({ code: 3, stdout: "" });
  expect(none.stderr).toMatch(/^agent-stats: [^\n]+ \[KEYCHAIN_(NO_ENTRY|UNREADABLE)\]\n$/);
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
