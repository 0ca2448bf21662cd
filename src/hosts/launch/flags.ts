/**
 * Which of the parent's Node flags a child gets. Loaders, conditions, source maps, permissions: what decides how code is found and read.
 * Not: what the parent was asked to evaluate, test, watch, profile or be debugged through, which is its own business and would make
 * a child fail (two inspectors on one port) or run something else (`-e`).
 */
const OWN = [
  '--eval', '--print', '--interactive', '--check', '--input-type', '--run',
  '--test', '--experimental-test', '--watch',
  '--cpu-prof', '--heap-prof', '--prof', '--heapsnapshot', '--trace-event',
  '--inspect', '--debug', '--experimental-network-inspection',
  '--env-file', '--redirect-warnings', '--build-snapshot', '--snapshot-blob', '--experimental-sea-config',
]; // prettier-ignore

/** `-e`, `-p`, `-i`, `-c`, and `-pe`; `-r` and `-C` stay. */
const OWN_SHORT = /^-[epic]+$/;

/** Node takes `_` for `-`. */
function nameOfFlag(flag: string): string {
  return flag.split('=', 1)[0]!.replaceAll('_', '-');
}

function isOwn(flag: string): boolean {
  const name = nameOfFlag(flag);
  return (
    OWN_SHORT.test(name) || OWN.some(own => name === own || (name.startsWith(own) && (name[own.length] === '-' || own === '--inspect')))
  );
}

/** The flags without those that `isDropped` names, and without their values. */
function withoutFlags(flags: readonly string[], isDropped: (flag: string) => boolean): string[] {
  const kept: string[] = [];
  let keeping = true;
  for (const word of flags) {
    // A word without a dash is the value of the flag before it: `--import tsx`. Node takes no value that begins with a dash.
    if (word.startsWith('-')) keeping = !isDropped(word);
    if (keeping) kept.push(word);
  }
  return kept;
}

/**
 * The flags that a child inherits.
 * @example inheritedFlags(['--import', 'tsx', '--inspect=0', '-e', 'main()']) // ['--import', 'tsx']
 */
export function inheritedFlags(flags: readonly string[]): string[] {
  return withoutFlags(flags, isOwn);
}

/** Flags that a thread may have beside its process's: what decides how its modules are found and read. */
const OF_A_THREAD =
  /^(?:--import|--require|-r|--(?:experimental-)?loader|--conditions|-C|--enable-source-maps|--preserve-symlinks|--(?:no-)?experimental-(?:strip|transform)-types|--(?:no-)?warnings|--no-deprecation|--trace-(?:warnings|uncaught|deprecation))$/;

/**
 * The flags that a thread inherits.
 * @example threadFlags(['--import', 'tsx', '--max-old-space-size=64']) // ['--import', 'tsx']
 */
export function threadFlags(flags: readonly string[]): string[] {
  return withoutFlags(flags, flag => !OF_A_THREAD.test(nameOfFlag(flag)));
}

/**
 * Node's permission model by kind, in this and in later versions: what switches it on, off or to a mere warning, and what it lets through.
 * A configuration file may say any of it. `--allow-natives-syntax` and its like are flags of V8 and grant nothing.
 */
const RIGHTS = /^--(?:no-)?(?:experimental-)?(?:permission|allow(?!-natives)|config-file|default-config-file)(?:-|$)/;

function isRight(flag: string): boolean {
  return RIGHTS.test(nameOfFlag(flag));
}

/** The flags without everything that decides what a process may do. */
export function withoutRights(flags: readonly string[]): string[] {
  return withoutFlags(flags, isRight);
}

/** The names of the flags that decide what a process may do. */
export function rightsAmong(flags: readonly string[]): string[] {
  return flags.filter(isRight).map(nameOfFlag);
}

/** The words of NODE_OPTIONS: separated by blanks, `"…"` holds them together, `\` escapes inside quotes. */
export function splitNodeOptions(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  let open = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && quoted && i + 1 < text.length) word += text[++i]!;
    else if (char === '"') [quoted, open] = [!quoted, true];
    else if (char === ' ' && !quoted) {
      if (word !== '' || open) words.push(word);
      [word, open] = ['', false];
    } else word += char;
  }
  if (word !== '' || open) words.push(word);
  return words;
}

/** The opposite of {@link splitNodeOptions}. */
export function joinNodeOptions(words: readonly string[]): string {
  return words.map(word => (/[\s"\\]/.test(word) || word === '' ? `"${word.replaceAll(/["\\]/g, '\\$&')}"` : word)).join(' ');
}

/** The V8 flags of `resourceLimits`, with the meaning that they have for `worker_threads`. */
export function limitFlags(limits: {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly stackSizeMb?: number;
}): string[] {
  const flags: string[] = [];
  if (limits.maxOldGenerationSizeMb !== undefined)
    flags.push(`--max-old-space-size=${Math.max(1, Math.round(limits.maxOldGenerationSizeMb))}`);
  // The young generation is three semi-spaces to V8.
  if (limits.maxYoungGenerationSizeMb !== undefined)
    flags.push(`--max-semi-space-size=${Math.max(1, Math.round(limits.maxYoungGenerationSizeMb / 3))}`);
  if (limits.stackSizeMb !== undefined) flags.push(`--stack-size=${Math.max(64, Math.round(limits.stackSizeMb * 1024))}`);
  return flags;
}
