import { useState } from "preact/hooks";
import { type Group, groupsOf } from "../model/groups.ts";
import { type Column, type Order, ordered } from "../model/order.ts";
import { RANGE_WORDS, type ServerRow } from "../model/select.ts";
import { toldOf } from "../model/verdict.ts";
import { countOrDash, countText, plural } from "../model/words.ts";
import { RATE_HELP, Rate } from "../parts/rate.tsx";
import { Scroll } from "../parts/scroll.tsx";
import type { View } from "../view.ts";
import { Heading, NoMatch, type ScreenProps } from "./screen.tsx";

const COLUMNS: Readonly<Record<Column, string>> = {
  server: "Server",
  sent: "Sent",
  received: "Received",
  failed: "Failed",
  rate: "Failure rate",
};

/** So many of a group are shown at once; the rest is folded. */
const SHOWN = 25;

/** All servers, in the three groups of use. One's own come first, the worst of them first, until another order is chosen. */
export function Servers({ view, heading }: ScreenProps) {
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order | null>(null);
  const found = view.rows.filter((row) => isFound(row, search, view));
  const groups = groupsOf(found, view.data.stats).filter(({ rows }) => rows.length > 0);
  return (
    <>
      <Heading heading={heading} filtered={view}>
        Servers
      </Heading>
      <div class="finder">
        <label class="search">
          <span>Search</span>
          <input
            type="search"
            value={search}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
        <p class="quiet" role="status">
          {found.length === view.rows.length
            ? plural(found.length, "server")
            : `${countText(found.length)} of ${plural(view.rows.length, "server")}`}
          , {RANGE_WORDS[view.filter.range]}
        </p>
      </div>
      {groups.length === 0 && (
        <NoMatch>
          {view.data.stats.servers.length === 0
            ? "The app has run, and has counted nothing yet."
            : "Nothing matches: search for something else, or choose another profile or protocol."}
        </NoMatch>
      )}
      {groups.map((group) => (
        <GroupTable key={group.key} {...{ group, view, order, setOrder }} />
      ))}
      {groups.length > 0 && <p class="quiet help">{RATE_HELP} A dash is what was not recorded; a zero was counted.</p>}
    </>
  );
}

function isFound({ server, protocol }: ServerRow, search: string, { names }: View): boolean {
  const wanted = search.trim().toLowerCase();
  const seen = `${names.address(server)} ${names.server(server)} ${protocol}`;
  return wanted === "" || seen.toLowerCase().includes(wanted);
}

interface GroupProps {
  readonly group: Group;
  readonly view: View;
  readonly order: Order | null;
  readonly setOrder: (order: Order) => void;
}

function GroupTable({ group, view, order, setOrder }: GroupProps) {
  const [whole, setWhole] = useState(false);
  const sorted = ordered(group.rows, order, view.names, view.verdict);
  const shown = whole ? sorted : sorted.slice(0, SHOWN);
  const folded = sorted.length - shown.length;
  return (
    <section>
      <h2 id={group.key}>
        {group.title} <span class="quiet">{group.rows.length}</span>
      </h2>
      <p class="quiet">{group.help}</p>
      <Scroll labelledBy={group.key}>
        <table class="stack servers">
          <thead>
            <tr>
              {(Object.keys(COLUMNS) as Column[]).map((column) => (
                <ColumnHead key={column} {...{ column, order, setOrder }} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row key={row.id} row={row} view={view} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {(folded > 0 || whole) && (
        <button type="button" class="more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? "Show fewer" : `Show ${plural(folded, "more server")}`}
        </button>
      )}
    </section>
  );
}

function ColumnHead({ column, order, setOrder }: Pick<GroupProps, "order" | "setOrder"> & { readonly column: Column }) {
  const by = order?.column === column ? order : null;
  const next = { column, down: by ? !by.down : column !== "server" };
  return (
    <th
      scope="col"
      class={column === "server" ? "" : "number"}
      aria-sort={by ? (by.down ? "descending" : "ascending") : undefined}
    >
      <button type="button" class="sort" onClick={() => setOrder(next)}>
        {COLUMNS[column]}
        <span aria-hidden="true">{by ? (by.down ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

function Row({ row, view }: { readonly row: ServerRow; readonly view: View }) {
  const { sent, received, failed, rates } = row.figures;
  const users = new Set(row.keys.map(({ userId }) => userId)).size;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => view.go({ screen: "server", row: row.id })}>
          <bdi>{view.names.server(row.server)}</bdi>
        </button>{" "}
        <span class="quiet">
          {row.protocol}
          {users > 1 ? `, ${users} profiles` : ""}
        </span>
        {toldOf(view.verdict, row).map(({ what, now }) => (
          <p key={what} class={now ? "bad" : ""}>
            {what}
          </p>
        ))}
      </th>
      <td class="number" data-title={COLUMNS.sent}>
        {countOrDash(sent)}
      </td>
      <td class="number" data-title={COLUMNS.received}>
        {countOrDash(received)}
      </td>
      <td class={(failed ?? 0) > 0 ? "number bad" : "number"} data-title={COLUMNS.failed}>
        {countOrDash(failed)}
      </td>
      <td class="number" data-title={COLUMNS.rate}>
        <Rate rates={rates} />
      </td>
    </tr>
  );
}
