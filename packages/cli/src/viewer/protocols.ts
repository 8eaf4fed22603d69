import type { Protocol } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { ntf, smp, xftp } from "agent-stats/simplex";

/** Protocols whose counters can be explained. An app's own are told by the names of their counters. */
export const KNOWN_PROTOCOLS: readonly Protocol[] = [mqtt, smp, xftp, ntf];
