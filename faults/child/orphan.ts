const SEEN_WITHIN_MS = 500;

/** A campaign that is killed must not leave a crowd behind that counts for ever. */
export function endWithParent(): void {
  // The parent may be gone before this process has started.
  const parent = Number(process.env.CAMPAIGN_PID);
  setInterval(() => process.ppid !== parent && process.exit(1), SEEN_WITHIN_MS).unref();
}
