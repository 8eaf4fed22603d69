#!/usr/bin/env node
import { app, routes } from "./app.ts";
import { type CliContext, terminalOf } from "./context.ts";
import { EXIT, exitCodeOf, sentenceOf } from "./errors.ts";
import { ExitCode, run } from "./stricli.ts";
import { wordsOf } from "./words.ts";

/** Stricli's own codes are negative, and no shell knows these. */
const EXIT_OF_STRICLI: Readonly<Record<number, number>> = {
  [ExitCode.UnknownCommand]: EXIT.usage,
  [ExitCode.InvalidArgument]: EXIT.usage,
};

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `| head` has read what it wanted.
    process.exit(error.code === "EPIPE" ? (process.exitCode ?? EXIT.ok) : EXIT.other);
  });
}

const terminal = terminalOf(process.stdout, process.env);
const context: CliContext = {
  // Without the environment: Stricli throws at a variable of its own that it cannot read.
  process: {
    stdout: {
      write: (text) => void process.stdout.write(text),
      // What Stricli asks before it colours its help.
      getColorDepth: () => (terminal.colour ? 8 : 1),
    },
    stderr: { write: (text) => void process.stderr.write(text) },
    exitCode: null,
  },
  terminal,
};

try {
  const [verb, ...words] = process.argv.slice(2);
  // What shells ask at each Tab. No verb of its own: its words are another verb's, unfinished.
  if (verb === "__complete") await (await import("./complete.ts")).complete(app, words, context);
  else await run(app, wordsOf(process.argv.slice(2), routes), context);
  const code = Number(context.process.exitCode ?? EXIT.ok);
  process.exitCode = code < 0 ? (EXIT_OF_STRICLI[code] ?? EXIT.other) : code;
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
