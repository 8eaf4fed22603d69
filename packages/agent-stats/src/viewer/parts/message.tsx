import type { ComponentChildren } from "preact";
import { type Message, messageOf } from "../model/messages.ts";

/** What stands where numbers would: why there are none, and what to do. */
export function MessageBox({ message, onRetry }: { readonly message: Message; readonly onRetry?: () => void }) {
  return (
    <div class="message" role="status">
      <h1>{message.title}</h1>
      <p>{message.text}</p>
      {message.steps && (
        <ol>
          {message.steps.map(({ text, command }) => (
            <li key={text}>
              {text}
              {command && <code>{command}</code>}
            </li>
          ))}
        </ol>
      )}
      {message.retry && onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** One line above the screens: the numbers below are not what they could be. */
export function Banner({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="banner" role="status">
      {children}
    </p>
  );
}

/** The page could not even begin. */
export function StartProblem({ error }: { readonly error: Error }) {
  return (
    <div class="agent-stats">
      <main>
        <MessageBox message={messageOf(error)} />
      </main>
    </div>
  );
}
