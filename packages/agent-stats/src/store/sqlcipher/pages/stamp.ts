import { statOf } from "./outside.ts";

/** What changes whenever a file or its WAL does; null where there is no file. Times of files are told in steps. */
export function stampOf(file: string): string | null {
  const stats = [file, `${file}-wal`].map((path) => statOf(path));
  if (stats[0] === null) return null;
  return stats.map((stat) => stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`).join();
}
