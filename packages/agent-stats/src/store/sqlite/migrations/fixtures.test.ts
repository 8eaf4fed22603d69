import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SCHEMA_VERSION } from "../schema.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures", import.meta.url));

test("each schema has files that it wrote, this one too: a later one is tried on them", () => {
  for (let schema = 1; schema <= SCHEMA_VERSION; schema++) {
    for (const name of ["clean.db", "open.db", "open.db-wal", "expected.json", "README.md"]) {
      expect(existsSync(join(FIXTURES, `schema-${schema}`, name)), `schema ${schema}: ${name}`).toBe(true);
    }
  }
});
