import type { ComponentChildren } from "preact";
import type { View } from "../view.ts";

export interface ScreenProps {
  readonly view: View;
  /** What gets the focus when somebody comes to the screen. */
  readonly heading: { current: HTMLHeadingElement | null };
}

export function Heading({
  heading,
  children,
}: Pick<ScreenProps, "heading"> & { readonly children: ComponentChildren }) {
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
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
