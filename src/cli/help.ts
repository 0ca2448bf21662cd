import { COMMON } from './arguments.js';
import type { Command } from './command.js';

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

/** The help text of one command. */
export function commandHelp({ name, usage, details, options }: Command): string {
  const rows = Object.entries({ ...options, ...COMMON }).map(([option, { short, value, help }]): [string, string] => [
    `${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
  return `packet-ts ${[name, usage].filter(Boolean).join(' ')}\n\n${details}\n\nOptions:\n${columns(rows)}\n`;
}

/** The help text of the whole command line. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, usage, summary }): [string, string] => [[name, usage].filter(Boolean).join(' '), summary]);
  return `packet-ts COMMAND

Commands:
${columns(rows)}

  packet-ts COMMAND --help  shows the options of a command
  packet-ts --version       shows the version

Exit codes: 0 done, 1 failed, 2 wrong use of the command line.
`;
}
