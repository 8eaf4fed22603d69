import { describe, expect, test } from "vitest";
import { defineProtocol, type ProtocolDefinition } from "./protocol.ts";

describe("defineProtocol", () => {
  test("keeps the order of names, tells gauges from counters, and fills in what was left out", () => {
    const smp = defineProtocol("smp", {
      sent: "messages sent",
      sendAttempts: { help: "messages tried", attemptsOf: "sent" },
      connected: { help: "1 while connected", gauge: true },
      sendErrors: { help: "messages refused", error: true },
      bytesSent: { help: "bytes sent", unit: "bytes" },
      backlog: { help: "bytes waiting", gauge: true, unit: "bytes" },
    });
    expect(smp).toEqual({
      name: "smp",
      counters: [
        { name: "sent", help: "messages sent", unit: "count", error: false, attemptsOf: null },
        { name: "sendAttempts", help: "messages tried", unit: "count", error: false, attemptsOf: "sent" },
        { name: "sendErrors", help: "messages refused", unit: "count", error: true, attemptsOf: null },
        { name: "bytesSent", help: "bytes sent", unit: "bytes", error: false, attemptsOf: null },
      ],
      gauges: [
        { name: "connected", help: "1 while connected", unit: "count" },
        { name: "backlog", help: "bytes waiting", unit: "bytes" },
      ],
      counterIndex: new Map([
        ["sent", 0],
        ["sendAttempts", 1],
        ["sendErrors", 2],
        ["bytesSent", 3],
      ]),
      gaugeIndex: new Map([
        ["connected", 0],
        ["backlog", 1],
      ]),
    });
    expect(Object.isFrozen(smp)).toBe(true);
  });

  test("may define nothing", () => {
    expect(defineProtocol("smp", {})).toMatchObject({ counters: [], gauges: [] });
  });

  const help = "x";
  const noProtocol = /^a protocol's name must be an identifier/;
  const noCounter = /^a counter's name must be an identifier/;
  test.each<[why: string, name: unknown, definition: unknown, says: RegExp]>([
    ["a protocol without a name", "", { sent: help }, noProtocol],
    ["a protocol's name that is none", "smp protocol", { sent: help }, noProtocol],
    ["a protocol's name that is too long", "p".repeat(65), { sent: help }, noProtocol],
    ["a protocol's name that every object has in common", "__proto__", { sent: help }, noProtocol],
    ["what only reads like a name", { toString: () => "smp" }, { sent: help }, noProtocol],
    ["a counter without a name", "smp", { "": help }, noCounter],
    ["a counter's name that begins with a digit", "smp", { "1st": help }, noCounter],
    ["a counter's name that is too long", "smp", { ["c".repeat(65)]: help }, noCounter],
    ["a counter's name that every object has in common", "smp", JSON.parse('{ "__proto__": "x" }'), noCounter],
    ["a gauge's name that is none", "smp", { "a b": { help, gauge: true } }, noCounter],
    ["no help text", "smp", { sent: "" }, /^counter 1 has no help text/],
    ["no help text in a definition", "smp", { sent: help, tried: { help: "" } }, /^counter 2 has no help text/],
    ["no help text for a gauge", "smp", { connected: { help: "", gauge: true } }, /^counter 1 has no help text/],
    ["no definition", "smp", { sent: undefined }, /^counter 1 has no help text/],
    [
      "attempts of what is not there",
      "smp",
      { live: { help, gauge: true }, received: help, tries: { help, attemptsOf: "sent" } },
      /^counter 2, gauges left out, has an attemptsOf/,
    ],
    [
      "attempts of a gauge",
      "smp",
      { live: { help, gauge: true }, tries: { help, attemptsOf: "live" } },
      /^counter 1, gauges left out, has an attemptsOf/,
    ],
  ])("refuses %s, and names the place but no name", (_why, name, definition, says) => {
    const define = () => defineProtocol(name as string, definition as ProtocolDefinition);
    expect(define).toThrow(TypeError);
    expect(define).toThrow(says);
  });

  test("control: the longest names, and every character that a name may have", () => {
    const { counters } = defineProtocol("p".repeat(64), { ["c".repeat(64)]: "x", "_a.b-C9": "x" });
    expect(counters).toHaveLength(2);
  });
});
