/** For tests of disks that refuse: root can make some, where it may mount. All of them throw where it may not. */
import { execFileSync } from "node:child_process";

const mounted: string[] = [];

/** A disk of its own at that folder, so small that it can be filled. */
export function mountSmall(folder: string): void {
  mount(["-t", "tmpfs", "-o", "size=800k,mode=755", "none", folder]);
  mounted.push(folder);
}

/** The same file in its place, for reading only. */
export function mountReadOnly(file: string): void {
  mount(["--bind", file, file]);
  mounted.push(file);
  mount(["-o", "remount,ro,bind", file]);
}

/** Takes all of them away, at once, also where a test that failed has files open there. */
export function unmount(): void {
  for (const place of mounted.splice(0)) execFileSync("umount", ["--lazy", place]);
}

function mount(how: readonly string[]): void {
  execFileSync("mount", how, { stdio: "pipe" });
}
