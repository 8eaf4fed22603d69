/** A server's address as SimpleX writes it: with the hash of its key. */
function serverName(number: number): string {
  const hash = Buffer.alloc(32, `server ${number} `).toString("base64url");
  // In one piece, as what comes from a socket is: V8 would else join it when it is first used, at our expense.
  return Buffer.from(`smp://${hash}=@smp${number}.example.org`).toString("latin1");
}

const USERS = 2;

/** The user and the server of the key at that place: two users, who share no server. */
export function keyAt(number: number): { readonly userId: string; readonly server: string } {
  return { userId: String(1 + (number % USERS)), server: serverName(number) };
}
