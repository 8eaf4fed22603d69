/** A server's address as SimpleX writes it: with the hash of its key. */
export function serverName(number: number): string {
  const hash = Buffer.alloc(32, `server ${number} `).toString("base64url");
  return `smp://${hash}=@smp${number}.example.org`;
}

const USERS = 2;

/** The user and the server of the key at that place: two users, who share no server. */
export function keyAt(number: number): { readonly userId: string; readonly server: string } {
  return { userId: String(1 + (number % USERS)), server: serverName(number) };
}
