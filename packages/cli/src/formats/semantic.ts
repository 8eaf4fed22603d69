import type { Protocol } from "agent-stats";
import type { Row } from "./rows.ts";

/** What a counter is called by OpenTelemetry's semantic conventions for messaging, 1.37, where they have a name. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  /** UCUM, as OpenTelemetry asks for. */
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Counters that the conventions have a name for: sent, received; failures of either bear an `error.type`. */
const SENT = /^(sent|sentDirect|sentViaProxy)$/;
const RECEIVED = /^(received|recvMsgs)$/;
const SEND_ERROR = /^(?:send|sent)(\w*?)(?:Errs|Errors)$/;
const RECEIVE_ERROR = /^(?:recv|receive)(\w*?)(?:Errs|Errors)$/;

/** Names one counter's metric. Everything without a conventional name is `agentstats.<counter>`. */
export function metricOf(row: Row, protocols: readonly Protocol[]): Metric {
  const { protocol, counter, userId, server } = row;
  const definition = protocols.find(({ name }) => name === protocol)?.counters.find(({ name }) => name === counter);
  const common = { "messaging.system": protocol, "server.address": server, "agentstats.user": userId };
  const conventional = conventionalName(counter);
  const bytes = definition?.unit === "bytes" || /^bytes|(Bytes|Size)$/.test(counter);
  if (conventional === null) {
    const help = definition?.help ?? "a counter of the app";
    const unit = bytes ? "By" : definition?.unit === "ms" ? "ms" : "1";
    return { name: `agentstats.${counter}`, help, unit, attributes: common };
  }
  return {
    name: conventional.name,
    help: conventional.help,
    unit: "{message}",
    attributes: { ...common, "messaging.operation.name": conventional.operation, ...conventional.attributes },
  };
}

function conventionalName(counter: string) {
  const sent = {
    name: "messaging.client.sent.messages",
    help: "messages sent, or with an error.type not sent",
    operation: "send",
  };
  const received = {
    name: "messaging.client.consumed.messages",
    help: "messages received, or with an error.type not readable",
    operation: "receive",
  };
  const via = { "agentstats.counter": counter };
  if (SENT.test(counter)) return { ...sent, attributes: via };
  if (RECEIVED.test(counter)) return { ...received, attributes: via };
  const sendError = SEND_ERROR.exec(counter);
  if (sendError) return { ...sent, attributes: { ...via, "error.type": errorType(sendError[1]) } };
  const receiveError = RECEIVE_ERROR.exec(counter);
  if (receiveError) return { ...received, attributes: { ...via, "error.type": errorType(receiveError[1]) } };
  return null;
}

/** `Quota` → `quota`; where the counter names no reason, the conventions' own word. */
function errorType(reason: string | undefined): string {
  return reason === undefined || reason === "" || reason === "Other" ? "_OTHER" : reason.toLowerCase();
}
