import type { StatsKey } from "agent-stats/sqlcipher";
import { CliError } from "./errors.ts";

/** Where a keychain names an account and nobody gave one. */
const DEFAULT_ACCOUNT = "agent-stats";

/**
 * Reads the key from the keychain of the operating system: Keychain, Credential Manager, Secret Service; on a Linux
 * without a desktop, the keyring of the kernel. What is kept there is 64 hex digits, 32 bytes, or a passphrase.
 *
 * @throws CliError `KEYCHAIN_MISSING`, `KEYCHAIN_UNREADABLE`, `KEYCHAIN_NO_ENTRY`; no message holds a name or a secret
 */
export async function keyFromKeychain(name: string): Promise<StatsKey> {
  const slash = name.indexOf("/");
  const service = slash < 0 ? name : name.slice(0, slash);
  const account = (slash < 0 ? "" : name.slice(slash + 1)) || DEFAULT_ACCOUNT;
  const secret = await secretOf(service, account);
  if (secret === null) {
    throw new CliError(
      "KEYCHAIN_NO_ENTRY",
      "The keychain has no such entry: give its service, and its account after a slash, as the app saved them.",
    );
  }
  return keyOf(secret);
}

/** A secret of 32 bytes that are text is a passphrase: somebody chose it. */
export function keyOf(secret: Buffer): StatsKey {
  const text = secret.toString("utf8");
  if (!Buffer.from(text).equals(secret)) {
    if (secret.length === 32) return secret;
    throw new CliError("STATS_KEY_INVALID", "The entry of the keychain holds neither a key of 32 bytes nor a text.");
  }
  if (/^[0-9a-f]{64}$/i.test(text.trim())) return text.trim();
  if (text === "") throw new CliError("STATS_KEY_INVALID", "The entry of the keychain is empty.");
  return { passphrase: text };
}

async function secretOf(service: string, account: string): Promise<Buffer | null> {
  const { AsyncEntry } = await keyring();
  let couldBeRead = false;
  for (const options of STORES) {
    try {
      const secret = await new AsyncEntry(service, account, options).getSecret();
      if (secret !== null && secret !== undefined) return Buffer.from(secret);
      couldBeRead = true;
    } catch {
      // The other one may answer.
    }
  }
  if (couldBeRead) return null;
  throw new CliError(
    "KEYCHAIN_UNREADABLE",
    "The keychain cannot be read: unlock it, or on a machine without one give the key by --key-file.",
  );
}

/** Linux has two; where neither a desktop nor D-Bus is, only the kernel's can be asked. */
const STORES =
  process.platform === "linux"
    ? ([{ linux: { store: "secret-service" } }, { linux: { store: "keyutils" } }] as const)
    : ([{}] as const);

async function keyring(): Promise<typeof import("@napi-rs/keyring")> {
  try {
    return await import("@napi-rs/keyring");
  } catch {
    throw new CliError(
      "KEYCHAIN_MISSING",
      "What reads the keychain is not installed: npm install @napi-rs/keyring, or give the key by --key-file.",
    );
  }
}
