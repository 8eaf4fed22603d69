import { describe, expect, test } from "vitest";
import { serverNames } from "./names.ts";

describe("a server's name", () => {
  test("is its host, where no other server is there; else all of it", () => {
    const servers = [
      "mqtts://b.example:8883",
      "mqtts://b.example:1883",
      "smp://k@c.example,x.onion",
      "wss://d.example/p",
      "x",
    ];
    expect(servers.map(serverNames(servers))).toEqual([
      "mqtts://b.example:8883",
      "mqtts://b.example:1883",
      "c.example",
      "d.example",
      "x",
    ]);
  });
});
