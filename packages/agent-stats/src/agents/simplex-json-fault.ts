type Next = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma" | "nothing";

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids just these in strings
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Where a text stops being JSON: the engines tell it only sometimes, and quote the text when they do. */
export function jsonFault(text: string): { readonly line: number; readonly column: number } {
  const before = text.slice(0, faultOffset(text)).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

function faultOffset(text: string): number {
  const open: ("[" | "{")[] = [];
  let at = 0;
  let next: Next = "value";
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const [found = ""] = pattern.exec(text) ?? [];
    at += found.length;
    return found !== "";
  };
  const closed = (): Next => (open.length === 0 ? "nothing" : "comma");
  for (;;) {
    skip(SPACE);
    const char = text[at];
    const inside = open.at(-1);
    if (next.startsWith("value") && (char === "[" || char === "{")) {
      open.push(char);
      next = char === "[" ? "value or ]" : "key or }";
    } else if (next === "comma" && char === ",") next = inside === "[" ? "value" : "key";
    else if (next === "colon" && char === ":") next = "value";
    else if ((next === "comma" || next === "value or ]") && inside === "[" && char === "]") next = shut();
    else if ((next === "comma" || next === "key or }") && inside === "{" && char === "}") next = shut();
    else if (next.startsWith("key") && skip(STRING)) {
      next = "colon";
      continue;
    } else if (next.startsWith("value") && (skip(STRING) || skip(LITERAL))) {
      next = closed();
      continue;
    } else return at;
    at += 1;
  }
  function shut(): Next {
    open.pop();
    return closed();
  }
}
