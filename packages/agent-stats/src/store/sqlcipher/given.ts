import { assertGiven, assertOptions } from "../../record/given.ts";
import type { DriverName } from "./drivers.ts";

/** @throws TypeError when it is no path */
export function assertPath(path: unknown): asserts path is string {
  assertGiven(typeof path === "string" && path !== "", "file says where the database is, and must be a path.");
}

interface FileAndDriver {
  readonly file: string;
  readonly driver?: DriverName | undefined;
}

/** The file that is meant, and by which driver. @throws TypeError when the file is no path, or the driver no name */
export function fileGiven(options: FileAndDriver): Required<FileAndDriver> {
  assertOptions(options);
  const { file, driver } = options;
  assertPath(file);
  // What is none of the known ones is told as missing, with what to install.
  assertGiven(driver === undefined || typeof driver === "string", "driver must be the name of one");
  return { file, driver };
}
