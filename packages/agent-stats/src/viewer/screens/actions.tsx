import { useState } from "preact/hooks";
import { messageOf } from "../model/messages.ts";
import { isShown } from "../model/select.ts";
import { Heading, type ScreenProps } from "./screen.tsx";

/** What cannot be undone. Each asks for a word that nobody types by accident. */
export function Actions({ view, heading }: ScreenProps) {
  const shown = view.data.stats.servers.filter(isShown(view.filter, view.hidden));
  const users = [...new Set(shown.map(({ userId }) => userId))].filter((user) => user !== "").sort();
  const [user, setUser] = useState("");
  const chosen = users.includes(user) ? user : (users[0] ?? "");
  return (
    <>
      <Heading heading={heading}>Actions</Heading>
      <p class="lead">These change the statistics for good. Nobody can bring back what is deleted here.</p>
      <section aria-labelledby="forget">
        <h2 id="forget">Forget a profile</h2>
        {users.length === 0 ? (
          <p class="quiet">There is no profile.</p>
        ) : (
          <>
            <label class="search">
              <span>Profile</span>
              {/* By place and not by name, as in the filter. */}
              <select
                autocomplete="off"
                value={users.indexOf(chosen)}
                onChange={({ currentTarget }) => setUser(users[Number(currentTarget.value)] ?? "")}
              >
                {users.map((each, index) => (
                  <option key={each} value={index}>
                    {view.names.user(each)}
                  </option>
                ))}
              </select>
            </label>
            <Confirmed
              key={view.names.user(chosen)}
              word={view.names.user(chosen)}
              asked={`Type ${view.names.user(chosen)} to forget it, with all its servers and numbers`}
              button="Forget this profile"
              act={async () => void (await view.source.deleteUser?.(chosen))}
              done={view.refresh}
            />
          </>
        )}
      </section>
      <section aria-labelledby="reset">
        <h2 id="reset">Start from zero</h2>
        <Confirmed
          word="reset"
          asked="Type reset to delete all numbers, servers and history"
          button="Reset all statistics"
          act={async () => view.source.reset?.()}
          done={view.refresh}
        />
      </section>
    </>
  );
}

interface ConfirmedProps {
  readonly word: string;
  readonly asked: string;
  readonly button: string;
  readonly act: () => Promise<void>;
  readonly done: () => void;
}

function Confirmed({ word, asked, button, act, done }: ConfirmedProps) {
  const [typed, setTyped] = useState("");
  const [told, setTold] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (typed !== word) {
      setTold("That is not the word: nothing was deleted.");
      return;
    }
    setTold("Deleting …");
    const result = await act().then(
      () => "Done.",
      (error: Error) => `Nothing was deleted. ${messageOf(error).title}.`,
    );
    setTyped("");
    setTold(result);
    done();
  };
  return (
    <form class="confirm" onSubmit={submit}>
      <label class="search">
        <span>{asked}</span>
        <input
          type="text"
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <button type="submit" class="danger">
        {button}
      </button>
      <span class="done" role="status">
        {told}
      </span>
    </form>
  );
}
