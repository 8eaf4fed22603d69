/** The one script that every option plays, and what must come out of it. */

import { isDeepStrictEqual } from "node:util";
import type { Message } from "./connections.ts";
import type { Chat } from "./program.ts";
import { UNANSWERED } from "./topics.ts";
import type { Sent, SentByUser, Views } from "./views.ts";

export interface Step extends Views {
  readonly name: string;
}

/** What the script does to the process of the chat. */
export interface Lives {
  start(): Promise<Chat>;
  /** SIGKILL, to the chat and its agent in the same moment. */
  kill(): Promise<void>;
  /** A signal to the process of the chat alone. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Waits until the chat, which was closed, is gone. */
  ended(): Promise<void>;
}

const ANNA = 1;
const BRUNO = 2;
const USERS = [ANNA, BRUNO];

/** Acknowledged messages for each user and server, at each time that is counted. */
const FIRST = 20;
const SECOND = 10;
const THIRD = 5;

/** Plays the script, and tells what was seen after each step. */
export async function playScript(
  lives: Lives,
  servers: readonly string[],
  onStep: (step: Step) => void,
): Promise<void> {
  const see = async (name: string, chat: Chat) => onStep({ name, ...(await chat.look()) });
  let chat = await lives.start();
  await count(chat, USERS, servers, FIRST);
  await see("count", chat);

  // What was counted after the last save would be lost, within a bound: this script is about exact numbers.
  await chat.flush();
  await lives.kill();
  chat = await lives.start();
  await see("SIGKILL, start again", chat);

  await count(chat, USERS, servers, SECOND);
  await see("count again", chat);

  await chat.deleteUser(BRUNO);
  // Something of the deleted user is still on its way: it must not bring the user back.
  await chat.send(messages([BRUNO], servers.slice(0, 1), 1));
  await see("delete a user", chat);

  await chat.reset();
  await see("reset", chat);

  await chat.close();
  await lives.ended();
  chat = await lives.start();
  await see("close, start again", chat);

  await count(chat, [ANNA], servers, THIRD);
  await see("count a last time", chat);

  // No flush: a chat that is closed loses nothing.
  await chat.close();
  await lives.ended();
  chat = await lives.start();
  await see("close, start again", chat);
  await chat.close();
  await lives.ended();
}

/** For each user, how many messages a count sends: one a user is never acknowledged. */
const counted = (users: readonly number[], perServer: number, servers: number): SentByUser =>
  Object.fromEntries(users.map((user) => [user, { sent: perServer * servers, attempts: perServer * servers + 1 }]));

/** What each step must show. Worked out by hand: no code of the library takes part. */
export function expectedSteps(servers: number): Step[] {
  const first = counted(USERS, FIRST, servers);
  const second = counted(USERS, SECOND, servers);
  const last = counted([ANNA], THIRD, servers);
  const annas = (sums: SentByUser): SentByUser => ({ [ANNA]: sums[ANNA] as Sent });
  const nothing = { past: {}, session: {}, overall: {} };
  return [
    { name: "count", past: {}, session: first, overall: first },
    { name: "SIGKILL, start again", past: first, session: {}, overall: first },
    { name: "count again", past: first, session: second, overall: added(first, second) },
    { name: "delete a user", past: annas(first), session: annas(second), overall: annas(added(first, second)) },
    { name: "reset", ...nothing },
    { name: "close, start again", ...nothing },
    { name: "count a last time", past: {}, session: last, overall: last },
    { name: "close, start again", past: last, session: {}, overall: last },
  ];
}

/** Whether the steps are those that must be. */
export function areExpected(steps: readonly Step[], servers: number): boolean {
  return isDeepStrictEqual(steps, expectedSteps(servers));
}

/** A fixed number of real messages; each but the last of a user is acknowledged by its broker when this resolves. */
export async function count(
  chat: Chat,
  users: readonly number[],
  servers: readonly string[],
  perServer: number,
): Promise<void> {
  await chat.send(messages(users, servers, perServer));
  // Last, as the broker answers nothing more on a connection where it left one unanswered.
  const unanswered = messages(users, servers.slice(-1), 1);
  await chat.send(unanswered.map((each) => ({ ...each, topic: UNANSWERED + each.topic, answered: false })));
}

/** So many acknowledged messages for each user and server. */
export function messages(users: readonly number[], servers: readonly string[], perServer: number): Message[] {
  return servers.flatMap((server) =>
    users.flatMap((userId) =>
      Array.from({ length: perServer }, (_, n) => ({
        userId,
        server,
        topic: `to/${userId}`,
        text: `message ${n + 1}`,
        answered: true,
      })),
    ),
  );
}

function added(a: SentByUser, b: SentByUser): SentByUser {
  return Object.fromEntries(
    Object.entries(a).map(([user, { sent, attempts }]) => [
      user,
      { sent: sent + (b[user]?.sent ?? 0), attempts: attempts + (b[user]?.attempts ?? 0) },
    ]),
  );
}
