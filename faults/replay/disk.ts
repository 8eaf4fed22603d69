import type { FileRecord } from "./log.ts";

/** Something done to a file that no sync of it has followed yet. */
export type Change = { readonly at: number; readonly bytes: Buffer } | { readonly size: number };

export interface Inode {
  /** What a power cut cannot take. */
  durable: Buffer;
  pending: Change[];
}

/** Something done to the folder that no sync of it has followed yet. */
export interface NameChange {
  readonly removes: readonly string[];
  readonly adds: string | null;
  readonly inode: Inode;
}

/** The files of a folder: name and bytes. */
export type Image = ReadonlyMap<string, Buffer>;

/**
 * One folder on a disk that keeps what was synced and promises nothing else: of writes, truncations, and new and removed
 * names that were not, a power cut keeps any part.
 */
export class Disk {
  readonly durableNames = new Map<string, Inode>();
  pendingNames: NameChange[] = [];
  readonly #names = new Map<string, Inode>();
  readonly #fds = new Map<number, Inode | "folder">();

  constructor(before: Image = new Map()) {
    for (const [name, durable] of before) {
      const inode = { durable, pending: [] };
      this.#names.set(name, inode);
      this.durableNames.set(name, inode);
    }
  }

  apply(record: FileRecord): void {
    switch (record.op) {
      case "start":
        this.#fds.clear();
        break;
      case "open":
      case "create":
        this.#open(record.fd, record.name);
        break;
      case "close":
        this.#fds.delete(record.fd);
        break;
      case "sync":
        this.#sync(record.fd);
        break;
      case "write":
        this.#inode(record.fd).pending.push({ at: record.at, bytes: record.bytes });
        break;
      case "truncate":
        this.#inode(record.fd).pending.push({ size: record.size });
        break;
      case "link":
        this.#rename([], record.to, this.#named(record.from));
        break;
      case "rename":
        this.#rename([record.from], record.to, this.#named(record.from));
        break;
      case "unlink":
        this.#rename([record.name], null, this.#named(record.name));
        break;
    }
  }

  /** Every file that a crash can leave something of. */
  inodes(): Set<Inode> {
    return new Set([...this.durableNames.values(), ...this.pendingNames.map(({ inode }) => inode)]);
  }

  /** What the process itself sees: as if the power had never been cut. */
  whole(): Image {
    return new Map([...this.#names].map(([name, inode]) => [name, applied(inode.durable, inode.pending)]));
  }

  isFolder(fd: number): boolean {
    return this.#fds.get(fd) === "folder";
  }

  #open(fd: number, name: string): void {
    if (name === "") {
      this.#fds.set(fd, "folder");
      return;
    }
    const found = this.#names.get(name);
    if (!found) this.#rename([], name, { durable: Buffer.alloc(0), pending: [] });
    this.#fds.set(fd, this.#named(name));
  }

  #sync(fd: number): void {
    const inode = this.#fds.get(fd);
    if (inode === "folder") {
      for (const change of this.pendingNames) applyName(this.durableNames, change);
      this.pendingNames = [];
    } else if (inode) {
      inode.durable = applied(inode.durable, inode.pending);
      inode.pending = [];
    }
  }

  #rename(removes: readonly string[], adds: string | null, inode: Inode): void {
    const change = { removes, adds, inode };
    applyName(this.#names, change);
    this.pendingNames.push(change);
  }

  #inode(fd: number): Inode {
    const inode = this.#fds.get(fd);
    if (!inode || inode === "folder") throw new Error("the record writes to a file that it never opened");
    return inode;
  }

  #named(name: string): Inode {
    const inode = this.#names.get(name);
    if (!inode) throw new Error("the record names a file that is not there");
    return inode;
  }
}

export function applyName(names: Map<string, Inode>, { removes, adds, inode }: NameChange): void {
  for (const name of removes) names.delete(name);
  if (adds !== null) names.set(adds, inode);
}

/** The bytes with these changes made, one after another. What lies between is zero, as in a file with a hole. */
export function applied(durable: Buffer, changes: readonly Change[]): Buffer {
  if (changes.length === 0) return durable;
  let size = durable.length;
  let room = size;
  for (const change of changes) room = Math.max(room, "size" in change ? change.size : change.at + change.bytes.length);
  const bytes = Buffer.alloc(room);
  durable.copy(bytes);
  for (const change of changes) {
    if ("size" in change) {
      if (change.size < size) bytes.fill(0, change.size, size);
      size = change.size;
    } else {
      change.bytes.copy(bytes, change.at);
      size = Math.max(size, change.at + change.bytes.length);
    }
  }
  return bytes.subarray(0, size);
}
