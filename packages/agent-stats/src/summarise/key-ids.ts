/** A small number for each `<protocol, userId, server>`: rows of the same key are found without joining its names. */
export class KeyIds {
  readonly #ids = new Map<string, Map<string, Map<string, number>>>();
  #next = 0;

  /** The key's number; a new one where it was never asked for. */
  of({
    protocol,
    userId,
    server,
  }: {
    readonly protocol: string;
    readonly userId: string;
    readonly server: string;
  }): number {
    const users = getOrAdd(this.#ids, protocol);
    const servers = getOrAdd(users, userId);
    const known = servers.get(server);
    if (known !== undefined) return known;
    servers.set(server, this.#next);
    return this.#next++;
  }
}

function getOrAdd<K, V>(maps: Map<K, Map<string, V>>, key: K): Map<string, V> {
  const known = maps.get(key);
  if (known) return known;
  const made = new Map<string, V>();
  maps.set(key, made);
  return made;
}
