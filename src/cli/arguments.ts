import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';
import type { Command, CommandArguments, OptionSpec } from './command.js';
import { suggestionFor } from './suggest.js';

/** Options that every command has. */
export const COMMON: Readonly<Record<string, OptionSpec>> = {
  help: { type: 'boolean', short: 'h', help: 'shows this text' },
};

function unknown(written: string, options: Readonly<Record<string, OptionSpec>>): UsageError {
  const name = written.replace(/^-+/, '');
  const meant = suggestionFor(name, Object.keys(options));
  const all = Object.keys(options)
    .map(each => `--${each}`)
    .join(', ');
  return new UsageError(`there is no option ${written}${meant === undefined ? `: there are ${all}` : `; did you mean --${meant}?`}`);
}

/**
 * Reads the arguments of a command.
 * @throws UsageError for options that there are not, values that are missing, too many or too few arguments.
 */
export function readArguments(
  { usage, options, positionals: [least, most], takesRest = false }: Command,
  args: readonly string[],
): CommandArguments {
  const specs = { ...options, ...COMMON };
  const at = args.indexOf('--');
  const own = at < 0 ? args : args.slice(0, at);
  const rest = at < 0 ? [] : args.slice(at + 1);
  const parsed = parseArgs({
    args: [...own],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | boolean> = {};
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (!spec) throw unknown(token.rawName, specs);
    if (spec.type === 'string' && (token.value === undefined || token.value === ''))
      throw new UsageError(`${token.rawName} takes a value: --${token.name} ${spec.value ?? 'VALUE'}`);
    if (spec.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    const before = values[token.name];
    values[token.name] = spec.multiple && typeof before === 'string' ? `${before},${token.value ?? ''}` : (token.value ?? true);
  }
  const { positionals } = parsed;
  if (values['help'] !== true) {
    if (rest.length > 0 && !takesRest) throw new UsageError(`nothing is taken behind --`);
    if (positionals.length < least) throw new UsageError(`an argument is missing: ${usage}`);
    if (positionals.length > most) throw new UsageError(`'${positionals[most]}' is one argument too many: ${usage || 'none is taken'}`);
  }
  return { options: values, positionals, rest };
}
