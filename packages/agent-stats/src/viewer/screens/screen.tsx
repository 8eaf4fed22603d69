import type { ComponentChildren } from "preact";
import { RANGE_WORDS } from "../model/select.ts";
import { timeText } from "../model/words.ts";
import { Filters } from "../parts/filters.tsx";
import type { View } from "../view.ts";

export interface ScreenProps {
  readonly view: View;
  /** What gets the focus when somebody comes to the screen. */
  readonly heading: { current: HTMLHeadingElement | null };
}

interface HeadingProps extends Pick<ScreenProps, "heading"> {
  /** Beside the heading of a screen whose numbers can be chosen. */
  readonly filtered?: View;
  readonly children: ComponentChildren;
}

export function Heading({ heading, filtered, children }: HeadingProps) {
  return (
    <div class="head">
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {filtered && <Filters view={filtered} />}
      {filtered && <Printed view={filtered} />}
    </div>
  );
}

/** What was chosen, on paper: there is nothing to choose there. */
function Printed({ view: { filter, names, data } }: { readonly view: View }) {
  const { userId, protocol, range } = filter;
  const chosen = [
    userId === null ? "all profiles" : names.user(userId),
    protocol ?? "all protocols",
    RANGE_WORDS[range],
  ];
  return (
    <p class="printed quiet">
      {chosen.join(", ")}; the numbers of {timeText(new Date(data.readAt))}
    </p>
  );
}

/** What the filter leaves nothing of. */
export function NoMatch({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="nothing" role="status">
      {children}
    </p>
  );
}
