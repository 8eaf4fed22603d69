import { CliError, sentenceOf } from "./errors.ts";
import {
  type ApplicationText,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  text_en,
} from "./stricli.ts";

/** Words that are shown of what was typed. What is longer may be a key that went to the wrong place. */
const SHOWN = /^[\w-]{1,24}$/;
const shown = (typed: string) => (SHOWN.test(typed) ? ` ${typed}` : " of that name");

const kebab = (flag: string) => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const didYouMean = (corrections: readonly string[]) =>
  corrections.length > 0
    ? `: did you mean ${corrections.join(" or ").replaceAll("`", "")}?`
    : ": see agent-stats --help.";

/** Nothing is near to no word at all. */
const isMistyped = (verb: string) => verb !== "";

const usage = (sentence: string) => sentenceOf(new CliError("USAGE", sentence));

/** Every error that can be shown, in one form. None tells what was typed, but for short words, and none has a stack. */
export const text: ApplicationText = {
  ...text_en,
  briefs: { ...text_en.briefs, help: "Print this help", version: "Print the version" },
  noCommandRegisteredForInput: ({ input, corrections }) =>
    input.startsWith("-")
      ? usage("A verb comes first, then its flags: see agent-stats --help.")
      : usage(`There is no verb${shown(input)}${didYouMean(isMistyped(input) ? corrections : [])}`),
  exceptionWhileParsingArguments: (error) =>
    error instanceof ArgumentScannerError
      ? usage(formatMessageForArgumentScannerError(error, SENTENCES))
      : sentenceOf(error),
  exceptionWhileLoadingCommandFunction: sentenceOf,
  exceptionWhileLoadingCommandContext: sentenceOf,
  exceptionWhileRunningCommand: sentenceOf,
  commandErrorResult: sentenceOf,
  exceptionWhileRunningIntegrationHook: ({ exception }) => sentenceOf(exception),
  exceptionWhileRunningIntegrationFlag: ({ exception }) => sentenceOf(exception),
};

/** Every error that its parser knows, so that none is told in its own words, which repeat what was typed. */
const SENTENCES: Required<Parameters<typeof formatMessageForArgumentScannerError>[1]> = {
  FlagNotFoundError: ({ input, corrections }) =>
    `There is no flag${SHOWN.test(input) ? ` --${input}` : " of that name"}${didYouMean(corrections.map((flag) => `--${kebab(flag)}`))}`,
  AliasNotFoundError: ({ input }) => `There is no flag -${input}: see agent-stats --help.`,
  UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} is needed, with its value: see --help.`,
  UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is needed: see --help.`,
  UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given more than once.`,
  UnexpectedPositionalError: ({ input }) =>
    EMPTY_FLAG.test(input)
      ? `${input.slice(0, -1)} is given without its value: see --help.`
      : "There is a word that belongs to no flag: see --help.",
  InvalidNegatedFlagSyntaxError: ({ externalFlagName }) => `--${externalFlagName} takes no value: see --help.`,
  EnumValidationError: ({ externalFlagName, values }) => `--${externalFlagName} must be ${values.join(" or ")}.`,
  ArgumentParseError: ({ externalFlagNameOrPlaceholder: name }) =>
    `${FLAG.test(name) ? "--" : ""}${name} cannot have this value: see --help.`,
};

/** Placeholders are written in capital letters. */
const FLAG = /^[a-z-]+$/;
const EMPTY_FLAG = /^--[a-z-]{1,24}=$/;
