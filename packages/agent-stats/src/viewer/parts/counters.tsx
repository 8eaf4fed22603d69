import { useId, useState } from "preact/hooks";
import { countOrDash } from "../model/words.ts";
import { Scroll } from "./scroll.tsx";

/** One counter with its numbers in each column. */
export interface CounterRow {
  readonly counter: string;
  /** What it means; null where nobody told. */
  readonly help: string | null;
  readonly isError: boolean;
  readonly unit: string;
  readonly values: readonly (number | null)[];
}

interface CountersProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly CounterRow[];
}

export function Counters({ caption, columns, rows }: CountersProps) {
  return (
    <Scroll label={caption}>
      <table class="stack counters">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Counter</th>
            {columns.map((column) => (
              <th key={column} scope="col" class="number">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <CounterLine key={row.counter} row={row} columns={columns} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function CounterLine({ row, columns }: { readonly row: CounterRow } & Pick<CountersProps, "columns">) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const failed = row.isError && (row.values.at(-1) ?? 0) !== 0;
  return (
    <tr class={failed ? "bad" : ""}>
      <th scope="row">
        <span class="counter">{row.counter}</span>
        {row.unit === "bytes" && <span class="quiet"> in bytes</span>}{" "}
        <button type="button" class="what" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          what is this?<span class="unseen"> {row.counter}</span>
        </button>
        <p id={id} hidden={!open}>
          {row.help ?? "The app that counts it has not told this program what it means."}
        </p>
      </th>
      {row.values.map((value, index) => (
        <td key={index} class={!value ? "number zero" : "number"} data-title={columns[index]}>
          {countOrDash(value)}
        </td>
      ))}
    </tr>
  );
}
