import { describe, expect, test } from "vitest";
import { formatSimplexServer, parseSimplexServer, serverIdentity } from "./simplex.ts";
import { compareServers } from "./simplex-address.ts";

const HASH = "0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=";

describe("addresses", () => {
  test.each([
    `smp://${HASH}@smp8.example`,
    `smp://${HASH}@smp8.example,beccx4yfxxbvyhqypaavemqurytl6hozr.onion:5223`,
    `xftp://${HASH}@192.168.1.254:443`,
    `ntf://${HASH}@2001:db8::1`,
    `ntf://${HASH}@[2001:db8::1]:5223`,
    `smp://${HASH}@a.example,2001:db8::1`,
    `smp://1234-w==@localhost:7001`,
  ])("%s is written back to the letter", (text) => {
    expect(formatSimplexServer(parseSimplexServer(text))).toBe(text);
  });

  test("parts are told apart", () => {
    expect(parseSimplexServer(`smp://${HASH}@a.example,b.onion:5223`)).toEqual({
      protocol: "smp",
      keyHash: HASH,
      hosts: ["a.example", "b.onion"],
      port: 5223,
    });
  });

  test.each([
    ["", "it is not of the form scheme://key-hash@host"],
    ["https://a.example", "it is not of the form scheme://key-hash@host"],
    [`https://${HASH}@a.example`, "its scheme is none of smp, xftp, ntf"],
    ["smp://@a.example", "its key hash is empty"],
    [`smp://${HASH.slice(0, -1)}@a.example`, "its key hash is cut off, or has lost its padding"],
    [`smp://${HASH.slice(1)}@a.example`, "its key hash is cut off, or has lost its padding"],
    [`smp://${HASH.slice(0, -2)}V=@a.example`, "its key hash is not in its one valid spelling"],
    ["smp://a+b/@a.example", "its key hash is not base64url"],
    [`smp://${HASH}:secret@a.example`, "it holds a password, which no statistics do"],
    [`smp://${HASH}@`, "one of its hosts is empty"],
    [`smp://${HASH}@a.example,`, "one of its hosts is empty"],
    [`smp://${HASH}@a.example:0`, "its port is no number from 1 to 65535"],
    [`smp://${HASH}@a.example:65536`, "its port is no number from 1 to 65535"],
    [`smp://${HASH}@a.example:`, "its port is no number from 1 to 65535"],
    [`smp://${HASH}@a example`, "one of its hosts holds a character that no host has"],
    [`smp://${HASH}@a.example/path`, "one of its hosts holds a character that no host has"],
    [`smp://${HASH}@UPPER.onion`, "one of its onion hosts is invalid"],
    [`smp://${HASH}@1.2.3.256`, "one of its IP addresses is invalid"],
    [`smp://${HASH}@[2001:db8:::1]`, "one of its IP addresses is invalid"],
    [`smp://${HASH}@${"a".repeat(5_000)}`, "it is longer than 4096 characters"],
  ])("%s is refused with its reason", (text, reason) => {
    expect(() => parseSimplexServer(text)).toThrow(new TypeError(reason));
  });

  test("the same key is the same server, another key another one", () => {
    const [one, more, other] = [`${HASH}@a.example`, `${HASH}@b.onion,a.example:443`, `1234-w==@a.example`].map(
      (each) => serverIdentity(parseSimplexServer(`smp://${each}`)),
    );
    expect(more).toBe(one);
    expect(other).not.toBe(one);
  });

  test("stand in SimpleX's order: IPv4 by number, IPv6, onion, names; then port", () => {
    const hosts = ["9.0.0.1", "10.0.0.1", "2001:db8::1", "a.onion", "a.example", "a.example,b.example", "b.example"];
    const sorted = hosts.map((host) => parseSimplexServer(`smp://${HASH}@${host}`));
    expect(sorted.toReversed().sort(compareServers)).toEqual(sorted);
  });
});
