import { PAGE_SCRIPT, PAGE_STYLE } from "./page.ts";

const BEFORE = '<script type="application/json" id="report">';
const AFTER = "</script>";
/** Not behind an odd number of backslashes: there it is the end of one, and letters that somebody wrote. */
const ESCAPED = /(?<!\\)((?:\\\\)*)\\u003c/g;

/**
 * A page that holds a report's JSON and shows it as tables. It opens from a file; nothing but its own script and style
 * may run in it, and it can ask nobody for anything.
 */
export async function reportPage(json: string): Promise<string> {
  const [script, style] = await Promise.all([sha256(PAGE_SCRIPT), sha256(PAGE_STYLE)]);
  const policy = `default-src 'none'; script-src '${script}'; style-src '${style}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>agent-stats report</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main id="page"></main>
${BEFORE}${json.replaceAll("<", "\\u003c")}${AFTER}
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** The JSON that a report's page holds, letter by letter; null where it is no such page. */
export function jsonInPage(html: string): string | null {
  const start = html.indexOf(BEFORE);
  const end = html.indexOf(AFTER, start);
  return start < 0 || end < 0 ? null : html.slice(start + BEFORE.length, end).replaceAll(ESCAPED, "$1<");
}

async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256-${btoa(Array.from(digest, (byte) => String.fromCharCode(byte)).join(""))}`;
}
