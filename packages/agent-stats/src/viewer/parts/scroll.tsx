import type { ComponentChildren } from "preact";

interface ScrollProps {
  /** What is in it; or the id of the heading that says so. */
  readonly label?: string;
  readonly labelledBy?: string;
  readonly children: ComponentChildren;
}

/** What may be wider than the page is moved on its own, with the keyboard too. */
export function Scroll({ label, labelledBy, children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, a keyboard cannot scroll it
    <section class="scroll" aria-label={label} aria-labelledby={labelledBy} tabIndex={0}>
      {children}
    </section>
  );
}
