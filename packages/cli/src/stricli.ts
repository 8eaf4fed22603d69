/**
 * The one door to Stricli: Node looks a package up anew for every file that names it, which costs 2 to 3 ms each time.
 */
export {
  type ApplicationText,
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type CommandContext,
  ExitCode,
  type FlagParametersForType,
  formatMessageForArgumentScannerError,
  help,
  type RouteMap,
  run,
  type StricliProcess,
  text_en,
  version,
} from "@stricli/core";
