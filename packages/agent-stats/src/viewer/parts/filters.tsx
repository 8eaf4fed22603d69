import { isShown, RANGES, type Range } from "../model/select.ts";
import type { View } from "../view.ts";

const ALL = "all";

/** Whose numbers, of which protocol, and of how long. */
export function Filters({ view: { data, hidden, names, filter, setFilter } }: { readonly view: View }) {
  const unique = (all: readonly string[]) => [...new Set(all)].sort();
  const users = unique(data.stats.servers.map(({ userId }) => userId));
  const shown = data.stats.servers.filter(isShown(filter, hidden));
  const shownUsers = unique(shown.map(({ userId }) => userId));
  const protocols = unique(shown.map(({ protocol }) => protocol));
  return (
    <form class="filters" aria-label="What is shown" autocomplete="off" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Profile</span>
        {/* By place and not by name: browsers keep what was chosen, on disk too, and names may be hidden. */}
        <select
          autocomplete="off"
          value={filter.userId === null ? ALL : users.indexOf(filter.userId)}
          onChange={({ currentTarget: { value } }) =>
            setFilter({ ...filter, userId: value === ALL ? null : (users[Number(value)] ?? null) })
          }
        >
          <option value={ALL}>All profiles</option>
          {shownUsers.map((user) => (
            <option key={user} value={users.indexOf(user)}>
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
