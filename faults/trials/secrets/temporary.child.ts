/** The control: a host's own connection that sorts and copies names with temporary files on disk. It waits to be looked at. */
import { openWithKey } from "../../oracle/drivers.ts";
import { serverOf } from "../../oracle/names.ts";

const [file = "", store = "FILE"] = process.argv.slice(2);
const ROWS = 40_000;

const database = openWithKey(file);
database.exec(`PRAGMA temp_store = ${store}; PRAGMA cache_size = 10; CREATE TABLE names (name TEXT)`);
database.exec("BEGIN");
const put = database.prepare("INSERT INTO names VALUES (?)");
for (let n = 0; n < ROWS; n++) put.run([serverOf((n * 7_919) % ROWS)]);
database.exec("COMMIT");
database.exec("PRAGMA temp.cache_size = 10; CREATE TEMP TABLE sorted AS SELECT name FROM names ORDER BY name DESC");
database.exec("CREATE INDEX temp.by_name ON sorted (name)");
process.send?.("ready");
process.on("message", () => process.exit());
