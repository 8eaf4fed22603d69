/** The other end of `remote.ts`: what a process under test does when it is called. */

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly given: unknown;
}

/** An error, as far as it can travel. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly thrown: Thrown };

type Calls = Readonly<Record<string, (given: never) => unknown>>;

/** Answers calls by name until the channel closes. */
export function answerCalls(calls: Calls): void {
  process.on("message", async ({ id, name, given }: Call) => {
    const answer = await answerTo(calls, name, given).then(
      (value): Answer => ({ id, ok: true, value }),
      (error: unknown): Answer => ({ id, ok: false, thrown: thrownOf(error) }),
    );
    process.send?.(answer);
  });
}

async function answerTo(calls: Calls, name: string, given: unknown): Promise<unknown> {
  const call = calls[name];
  if (!call) throw new Error(`no such call: ${name}`);
  return call(given as never);
}

function thrownOf(error: unknown): Thrown {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { name: error.name, message: error.message, ...code, ...(error.stack && { stack: error.stack }) };
}
