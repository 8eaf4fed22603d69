const ATEXIT = new Set<() => void>();
let isListening = false;

/** Has something done when this process ends, unless it is taken out of this set before. One listener serves all. */
export function atExit(): Pick<Set<() => void>, "add" | "delete"> {
  if (!isListening) process.on("exit", () => ATEXIT.forEach((done) => void done()));
  isListening = true;
  return ATEXIT;
}
