import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../files.testing.ts";
import { isWithoutReader, readOutside } from "./outside.ts";

vi.mock("node:child_process", { spy: true });
const real = (await vi.importActual<typeof import("node:child_process")>("node:child_process")).execFileSync;
const programs = () => vi.mocked(execFileSync).mock.calls.map(([program]) => program);

describe.skipIf(process.platform === "win32")("bytes that another process reads", () => {
  const file = () => {
    const path = join(temporaryFolder(), "-it's a $HOME file");
    writeFileSync(path, Buffer.from([0, 255, 10, 13]));
    return path;
  };
  afterEach(() => void vi.mocked(execFileSync).mockReset());

  test("are all of them, whatever the file is called, and its path is no argument that others could see", () => {
    const path = file();
    expect(readOutside(path)).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(JSON.stringify(vi.mocked(execFileSync).mock.calls.map(([, args]) => args))).not.toContain("HOME file");
    expect(readOutside(`${path}-none`)).toBeNull();
  });

  test("are read by Node.js where there is no shell", () => {
    vi.mocked(execFileSync).mockImplementation((program, ...rest) => {
      if (program === "/bin/sh") throw Object.assign(new Error("spawn"), { code: "ENOENT" });
      return (real as (...args: unknown[]) => Buffer<ArrayBuffer>)(program, ...rest);
    });
    expect(readOutside(file())).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(programs()).toEqual(["/bin/sh", process.execPath]);
  });

  test("are not to be had where no process may be started, which is told apart from a disk that fails", () => {
    const errorOf = (thrown: object): unknown => {
      vi.mocked(execFileSync).mockImplementation(() => {
        throw Object.assign(new Error("spawn"), thrown);
      });
      try {
        return readOutside(file());
      } catch (error) {
        expect(error).toMatchObject({ code: "STATS_STORE_FAILED" });
        return error;
      }
    };
    expect(isWithoutReader(errorOf({ code: "ERR_ACCESS_DENIED" }))).toBe(true);
    expect(isWithoutReader(errorOf({ status: 1 }))).toBe(false);
    expect(programs().at(-1), "a program that failed to read is not tried again as another").toBe("/bin/sh");
  });
});
