import { type Filter, RANGES, type Range } from "../model/select.ts";
import type { View } from "../view.ts";

interface FiltersProps {
  readonly view: View;
  readonly filter: Filter;
  readonly setFilter: (filter: Filter) => void;
}

/** Whose numbers, of which protocol, and of how long. */
export function Filters({ view, filter, setFilter }: FiltersProps) {
  const { data, hidden, names } = view;
  const unique = (all: readonly string[]) => [...new Set(all)].sort();
  const users = unique(data.stats.servers.map(({ userId }) => userId));
  const shown = users.filter((user) => filter.showHidden || !hidden.has(user));
  const protocols = unique(data.stats.servers.map(({ protocol }) => protocol));
  return (
    <form class="filters" aria-label="What is shown" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Profile</span>
        <select
          value={filter.userId === null ? "all" : `user ${filter.userId}`}
          onChange={({ currentTarget: { value } }) =>
            setFilter({ ...filter, userId: value === "all" ? null : value.slice("user ".length) })
          }
        >
          <option value="all">All profiles</option>
          {shown.map((user) => (
            <option key={user} value={`user ${user}`}>
              {names.user(user)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Protocol</span>
        <select
          value={filter.protocol ?? ""}
          onChange={({ currentTarget: { value } }) => setFilter({ ...filter, protocol: value === "" ? null : value })}
        >
          <option value="">All protocols</option>
          {protocols.map((protocol) => (
            <option key={protocol} value={protocol}>
              {protocol}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="ranges">
        <legend>Range</legend>
        {(Object.entries(RANGES) as [Range, string][]).map(([range, title]) => (
          <label key={range}>
            <input
              type="radio"
              name="range"
              checked={filter.range === range}
              onChange={() => setFilter({ ...filter, range })}
            />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
      {users.some((user) => hidden.has(user)) && (
        <label class="check">
          <input
            type="checkbox"
            checked={filter.showHidden}
            onChange={() => setFilter({ ...filter, showHidden: !filter.showHidden, userId: null })}
          />
          <span>Hidden profiles too</span>
        </label>
      )}
    </form>
  );
}
