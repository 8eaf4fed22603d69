export { formatSimplexServer, parseSimplexServer, type SimplexServer, serverIdentity } from "./simplex-address.ts";
export { SimplexCoreError, type WebSocketClass, type WebSocketLike } from "./simplex-core.ts";
export { type Imported, importSimplex } from "./simplex-import.ts";
export { SimplexFormatError, type SimplexNote } from "./simplex-json.ts";
export { type ParseSimplexOptions, parseSimplex, type SimplexLayout, type SimplexStats } from "./simplex-parse.ts";
export {
  type PresentableStats,
  type PresentedNtf,
  type PresentedServer,
  type PresentedServersSummary,
  type PresentedSmp,
  type PresentedXftp,
  type PresentOptions,
  toPresentedServersSummary,
} from "./simplex-present.ts";
export { OTHER_USERS } from "./simplex-presented.ts";
export { fieldOf, ntf, type SimplexProtocol, smp, xftp } from "./simplex-protocols.ts";
export type { SimplexRow } from "./simplex-rows.ts";
export { SimplexOverlapError } from "./simplex-session.ts";
export { type SimplexWatchEvent, type SimplexWatchOptions, watchSimplex } from "./simplex-watch.ts";
