import { styleText } from "node:util";

/** What a text is, not how it looks: one place decides that. */
export type Look = "plain" | "title" | "strong" | "quiet" | "warning" | "good";

/** Gives a text its look; where there is no colour it leaves it as it is. */
export type Paint = (look: Look, text: string) => string;

/** Bold, dim and the sixteen colours of the terminal's own theme, which are readable on light and on dark. */
const STYLES = {
  title: ["bold", "cyan"],
  strong: ["bold"],
  quiet: ["dim"],
  warning: ["yellow"],
  good: ["green"],
} as const;

export function painter(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  return (look, text) => {
    if (look === "plain" || text === "") return text;
    // Whether there is colour was decided before: newer versions of Node would look at stdout once more.
    return styleText([...STYLES[look]], text, { validateStream: false });
  };
}
