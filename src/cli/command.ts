/** A command that was used rightly and could not be done, for a reason that its message says whole: exit code 1. */
export class CommandFailure extends Error {}

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Given several times, the values stand behind each other with commas. */
  readonly multiple?: boolean;
  /** How its value is called in the help text: 'DURATION'. */
  readonly value?: string;
  readonly help: string;
}

/** The arguments of a command, checked against its options. */
export interface CommandArguments {
  /** Values by option name; undefined where the option was not given. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  /** Arguments behind `--`: for the program that is run. */
  readonly rest: readonly string[];
}

/** A command of the command line: `packet-ts NAME …`. */
export interface Command {
  readonly name: string;
  /** Behind the name: 'MODULE [-- ARGUMENTS]'. */
  readonly usage: string;
  /** One line of the list of commands. */
  readonly summary: string;
  /** Paragraphs of its help text. */
  readonly details: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** The least and the most positional arguments. */
  readonly positionals: readonly [least: number, most: number];
  /** Whether arguments may follow behind `--`. */
  readonly takesRest?: boolean;
  /** Returns the exit code: 0 done, 1 failed, 2 used wrongly. Throws UsageError for arguments that cannot be used, CommandFailure. */
  run(given: CommandArguments): Promise<number>;
}

/** The text of an option, or undefined. */
export function optionText({ options }: CommandArguments, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
