/** For tests of what is shown: SimpleX's own names, as far as they matter to how it groups. */
import { defineProtocol } from "../record/protocol.ts";

export const smp = defineProtocol("smp", {
  sentDirect: "sent to the recipient's server",
  sentDirectAttempts: { help: "tried", attemptsOf: "sentDirect" },
  sentViaProxy: "sent through another server",
  sentViaProxyAttempts: { help: "tried", attemptsOf: "sentViaProxy" },
  sentProxied: "handed on by this server: the same messages, as the proxy sees them",
  sentProxiedAttempts: { help: "tried", attemptsOf: "sentProxied" },
  recvMsgs: "received",
  connCreated: "connections created",
  connSecured: "connections secured",
  connSubscribed: "subscribed",
  connSubAttempts: { help: "tried", attemptsOf: "connSubscribed" },
  sentAuthErrs: { help: "refused", error: true },
  ssConnected: { help: "sessions connected", gauge: true },
  ssActive: { help: "subscriptions active", gauge: true },
});
export const xftp = defineProtocol("xftp", {
  uploads: "files sent",
  ssConnected: { help: "sessions connected", gauge: true },
});
