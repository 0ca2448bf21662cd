import { bytesOf, choice, NOTHING, sizedOf, repeat, sequence, type Sized } from './pattern-cost.js';

/** How often `*`, `+` and `{n,}` repeat at most. */
const REPEATS = 64;
/** The longest delimiter that a pattern may match, in bytes: so much of the text is looked at again when more bytes come. */
const LONGEST = 256;
/** The most steps of backtracking at one place, whatever the bytes: about as many nanoseconds for each byte received. `\s*,\s*` takes 325. */
const MOST_STEPS = 1000;

/** A regular expression whose match is bounded in length and in cost, so that it can be searched for in a stream. */
export interface DelimiterPattern {
  /** As it was written. */
  readonly source: string;
  /** The longest match, in characters. */
  readonly longest: number;
  /** The first match at or behind `from`. */
  first(text: string, from?: number): { readonly start: number; readonly end: number } | undefined;
  /** The length of the match at the very beginning of the text; 0 when there is none. */
  atStart(text: string): number;
}

/**
 * Bounds a delimiter's regular expression.
 * @throws TypeError when it cannot be bounded, or could match nothing at all.
 */
export function delimiterPattern(pattern: RegExp): DelimiterPattern {
  const { source } = pattern;
  if (/[uv]/.test(pattern.flags))
    throw refused(source, 'it is matched against bytes, which have no code points: leave out the flags u and v');
  const flags = pattern.flags.replaceAll(/[^is]/g, '');
  const { text, shortest, longest, steps } = new PatternReader(source, flags).read();
  if (shortest === 0) throw refused(source, 'it matches where there is no byte');
  if (!(steps <= MOST_STEPS)) {
    const taken = Number.isFinite(steps) ? `up to ${steps} steps` : 'steps without a bound';
    throw refused(
      source,
      `it can match the same bytes in too many ways: ${taken} for each byte, and ${MOST_STEPS} are the most; let no repetition be followed by what it repeats`,
    );
  }
  if (longest > LONGEST) throw refused(source, `it may match ${longest} bytes, and ${LONGEST} is the most`);
  const search = new RegExp(text, `${flags}g`);
  const sticky = new RegExp(text, `${flags}y`);
  return {
    source,
    longest,
    first(input, from = 0) {
      search.lastIndex = from;
      const match = search.exec(input);
      return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
    },
    atStart(input) {
      sticky.lastIndex = 0;
      return sticky.exec(input)?.[0].length ?? 0;
    },
  };
}

function refused(source: string, why: string): TypeError {
  return new TypeError(`delimited(/${source}/): the pattern cannot be a delimiter, ${why}`);
}

/** A piece of a pattern: its bounded text, the lengths it may match, and what that may cost. */
interface Piece extends Sized {
  readonly text: string;
}

/** Reads a pattern by recursive descent: alternatives, terms, atoms, quantifiers. Its syntax has been checked by the RegExp it comes from. */
class PatternReader {
  readonly #source: string;
  readonly #flags: string;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  read(): Piece {
    let all = this.#alternative();
    while (this.#source[this.#at] === '|') {
      this.#at++;
      const next = this.#alternative();
      all = { text: `${all.text}|${next.text}`, ...choice(all, next) };
    }
    return all;
  }

  #alternative(): Piece {
    const terms: Piece[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) terms.push(this.#quantified(this.#atom()));
    // From the back: whether a repetition has one end only, all that follows it decides.
    return terms.reduceRight<Piece>((rest, term) => ({ text: term.text + rest.text, ...sequence(term, rest) }), { text: '', ...NOTHING });
  }

  #atom(): Piece {
    const character = this.#source[this.#at]!;
    if (character === '^' || character === '$') throw this.#refused('anchors have no place in a stream');
    if (character === '(') return this.#group();
    if (character === '[') return this.#one(this.#take(/\[(?:\\[^]|[^\]\\])*\]/y));
    if (character === '\\') return this.#escape();
    if (character > '\xff') throw this.#refused(`'${character}' is no byte: write the bytes that it consists of as \\x..`);
    this.#at++;
    return this.#one(character);
  }

  #one(text: string): Piece {
    // A brace or bracket that opens nothing stands for itself, as the pattern that it comes from allows.
    return { text, ...sizedOf(bytesOf(text, this.#flags)) };
  }

  #group(): Piece {
    const opening = this.#take(/\((?:\?(?:<(?![=!])[^>]*>|[^<]))?/y);
    if (opening.startsWith('(?') && opening !== '(?:' && !opening.startsWith('(?<'))
      throw this.#refused('lookaround and modifiers are not possible');
    if (this.#source.startsWith('(?<', this.#at - 1)) throw this.#refused('lookaround and modifiers are not possible');
    const inner = this.read();
    this.#at++;
    return { ...inner, text: `${opening}${inner.text})` };
  }

  #escape(): Piece {
    const text = this.#take(/\\(?:x[\da-f]{2}|u[\da-f]{4}|c[a-z]|[^])/iy);
    if (/^\\[bB]$/.test(text)) throw this.#refused('anchors have no place in a stream');
    if (/^\\[1-9k]$/.test(text)) throw this.#refused('back references have no longest match');
    if (/^\\u(?!00)/.test(text) && text.length === 6) throw this.#refused(`${text} is no byte`);
    return this.#one(text);
  }

  #quantified(piece: Piece): Piece {
    const match = this.#peek(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/y);
    if (match === null) return piece;
    this.#at += match[0].length;
    const least = match[1] === undefined ? Number(match[2]) : match[1] === '+' ? 1 : 0;
    const most = match[1] === '?' ? 1 : match[1] !== undefined || match[4] === '' ? Math.max(REPEATS, least) : Number(match[4] ?? match[2]);
    return { text: `${piece.text}{${least},${most}}${match[5]}`, ...repeat(piece, least, most) };
  }

  #peek(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#source);
  }

  #take(sticky: RegExp): string {
    const text = this.#peek(sticky)?.[0] ?? this.#source[this.#at]!;
    this.#at += text.length;
    return text;
  }

  #refused(why: string): TypeError {
    return refused(this.#source, why);
  }
}
