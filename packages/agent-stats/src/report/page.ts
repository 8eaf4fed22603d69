/** What a report's page looks like. Its digest stands in the page's own policy. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2024, #eceef0); --quiet: light-dark(#5c6670, #a0a9b2);
  --line: light-dark(#dfe3e7, #363c42); --bad: light-dark(#b3261e, #ff9d94); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#fff, #16191c); }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
p { margin: .25rem 0; color: var(--quiet); max-width: 70ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--quiet); font-size: .875rem; } .n { text-align: right; } .bad { color: var(--bad); }
small { display: block; color: var(--quiet); }
@media print { main { max-width: none; padding: 0; } tr { break-inside: avoid; } .scroll { overflow: visible; } }
`;

/** Shows the JSON as tables. Everything from the report becomes text, never markup. */
export const PAGE_SCRIPT = `"use strict";
const report = JSON.parse(document.getElementById("report").textContent);
const page = document.getElementById("page");
const add = (to, name, text, kind) => {
  const made = to.appendChild(document.createElement(name));
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const count = (value) => String(value).replace(/\\B(?=(\\d{3})+$)/g, "\\u202f");
const own = (numbers, name) => (Object.hasOwn(numbers, name) ? numbers[name] : 0);
const hour = (text) => (text === null ? "–" : text.replace("T", " ").replace("Z", " UTC"));
const who = ({ user, server }) =>
  (user === null ? "deleted users" : "user " + user) + " · " + (server === null ? "all servers" : server);
const table = (heads, rows) => {
  const made = add(add(page, "div", undefined, "scroll"), "table");
  const head = add(add(made, "thead"), "tr");
  heads.forEach(([text, kind]) => { add(head, "th", text, kind).scope = "col"; });
  const body = add(made, "tbody");
  for (const row of rows) {
    const line = add(body, "tr");
    row.forEach((cell, i) => fill(add(line, "td", undefined, heads[i][1]), cell));
  }
};
const fill = (cell, content) => {
  const { text, small, bad } = typeof content === "object" ? content : { text: content };
  add(cell, "span", text, bad ? "bad" : "");
  if (small) add(cell, "small", small);
};
const meaning = (protocol, counter) => {
  const of = Object.hasOwn(report.counters, protocol) ? report.counters[protocol] : {};
  return Object.hasOwn(of, counter) ? of[counter] : { help: "", error: false };
};
const named = (protocol, counter, value) => {
  const { help, error } = meaning(protocol, counter);
  return { text: counter, small: help, bad: error && value > 0 };
};
add(page, "h1", "Report of agent-stats");
add(page, "p", "Made " + hour(report.made) + ". Counted since " + hour(report.trackedSince) + ", last saved "
  + hour(report.lastSaved) + ". Times are to the hour" + (report.coarse ? ", counts are rounded." : "."));
add(page, "p", "Servers bear pseudonyms and users numbers. Only who made the report can tell which is which.");
if (report.case !== null) add(page, "p", "Case: " + report.case);
const number = ["", "n"];
if (report.recorded !== null) {
  add(page, "h2", "Recorded for " + report.recorded.seconds + " s");
  for (const server of report.recorded.servers) {
    add(page, "h3", who(server));
    table([[server.protocol], ["counted", "n"]], Object.entries(server.counters).map(([counter, value]) =>
      [named(server.protocol, counter, value), count(value)]));
  }
}
add(page, "h2", "Servers");
if (report.servers.length === 0) add(page, "p", "Nothing has been counted.");
for (const server of report.servers) {
  add(page, "h3", who(server));
  table([[server.protocol], ["past", "n"], ["session", "n"], ["overall", "n"]],
    Object.keys(server.overall).sort().map((counter) => {
      const value = own(server.overall, counter);
      return [named(server.protocol, counter, value), count(own(server.past, counter)),
        count(own(server.session, counter)), count(value)];
    }));
}
add(page, "h2", "Sessions");
table([["started"], ["last saved"], ["ended"], ["how"], ["can have lost", "n"]], report.sessions.map((session) =>
  [hour(session.started), hour(session.lastSaved), hour(session.ended),
    { text: session.how, bad: session.how === "killed" }, session.canHaveLostMs + " ms"]));
`;
