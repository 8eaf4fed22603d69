import { buildCommand as build, buildRouteMap as buildMap } from "@stricli/core";
import { fitting } from "./fit-help.ts";

/**
 * The one door to Stricli: Node looks a package up anew for every file that names it, which costs 2 to 3 ms each time.
 */
export {
  type Application,
  type ApplicationText,
  ArgumentScannerError,
  buildApplication,
  type CommandContext,
  ExitCode,
  type FlagParametersForType,
  formatMessageForArgumentScannerError,
  help,
  proposeCompletions,
  type RouteMap,
  run,
  type StricliProcess,
  text_en,
  version,
} from "@stricli/core";

/** A command, and a map of commands, whose help fits 80 columns. */
export const buildCommand = ((given: never) => fitting(build(given))) as typeof build;
export const buildRouteMap = ((given: never) => fitting(buildMap(given))) as typeof buildMap;
