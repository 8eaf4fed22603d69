/** The work of a member without the library, not even loaded: what its event loop suffers is the machine's doing. */
import { devNull } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { watchLateness } from "../../child/blocked.ts";
import { endWithParent } from "../../child/orphan.ts";
import { openLedger } from "../../oracle/ledger.ts";
import { randomOf } from "../../random.ts";
import { BURST, COUNTS_A_BATCH, type MemberSpec } from "./member-spec.ts";

const spec = JSON.parse(process.argv[2] ?? "") as MemberSpec;
const random = randomOf(spec.seed);
const REST_MS = 20;
const nowhere = openLedger(devNull);

endWithParent();
watchLateness(openLedger(spec.ledger));
const adds = Array.from({ length: COUNTS_A_BATCH }, () => ({ user: 0, server: 0, counter: 0 }));
for (;;) {
  for (let n = random.whole(...BURST); n > 0; n--) nowhere.addAll(adds);
  // It is to see the machine, and not to be a burden to it.
  await sleep(REST_MS);
}
