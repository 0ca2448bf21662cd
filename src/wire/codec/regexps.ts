/** The longest source, in UTF-16 units, of a regular expression that is sent as one. */
export const MAX_REGEXP_SOURCE = 1000;
/** Bytes of padding for each unit of the source under the flag `u`, where `\w` ignores case in time that depends on Unicode's tables. */
const UNIT_PADDING = 32;
/** Bytes of padding for each property escape (`\p{L}`): making its set of characters takes up to half a millisecond. */
const PROPERTY_PADDING = 16 * 1024;

const FLAGS = [
  ['hasIndices', 'd'],
  ['global', 'g'],
  ['ignoreCase', 'i'],
  ['multiline', 'm'],
  ['dotAll', 's'],
  ['unicode', 'u'],
  ['unicodeSets', 'v'],
  ['sticky', 'y'],
] as const;

/** Source and flags by the language's own getters: a subclass may answer what does not compile on the other side. */
export function regExpParts(value: RegExp): { readonly source: string; readonly flags: string } {
  return { source: Reflect.get(RegExp.prototype, 'source', value), flags: flagsOf(value) };
}

/** The flags in their order. `RegExp.prototype.flags` would ask the value's own properties. */
function flagsOf(value: RegExp): string {
  return FLAGS.map(([name, flag]) => (Reflect.get(RegExp.prototype, name, value) === true ? flag : '')).join('');
}

/**
 * Padding in bytes that stands behind a regular expression on the wire, so that making it costs no more time for a byte than other values;
 * undefined for one that is not sent: too long, or with parts that take milliseconds each (`\p{…}` or ignored case under the flag `v`).
 *
 * The language's parser takes 10 to 40 ns for a character of any other source.
 */
export function regExpPadding(source: string, flags: string): number | undefined {
  if (source.length > MAX_REGEXP_SOURCE || flags.length > 8) return undefined;
  if (flags.includes('v')) return flags.includes('i') || /\\p|\(\?[a-z]*i/i.test(source) ? undefined : 0;
  if (!flags.includes('u')) return 0;
  const escapes = source.match(/\\p/gi)?.length ?? 0;
  return source.length * UNIT_PADDING + escapes * PROPERTY_PADDING;
}
