import { kindOf, nameOf, parameterMistakes, readParameters } from '../../blueprint/index.js';
import type { Ctor, ParameterBlueprint, Token } from '../../blueprint/types.js';
import type { Mistake } from '../../errors.js';
import type { Scope } from './scope.js';

/** Makes one value in a scope. Compiled once, called often: it looks nothing up. */
export type Maker = (scope: Scope) => unknown;

export type ScopeKind = 'app' | 'connection';

/** The classes that led here: for cycles and messages. */
export type Path = readonly Ctor[];

/** The mistake of a token that nothing provides here, with its remedy. */
export interface Absence {
  readonly wrong: string;
  readonly remedy: string;
}

/** The container's side of a planner. */
export interface PlanContext {
  readonly mistakes: Mistake[];
  /** The maker of a provided value; undefined when nothing provides it. */
  makerOf(token: Token, kind: ScopeKind, path: Path): Maker | undefined;
  /** The place where a token is that nothing provides here; undefined: nowhere. */
  absence(token: Token): Absence | undefined;
  workerMaker(worker: Ctor | string, key: string | undefined, owner: 'app' | undefined, kind: ScopeKind, cls: Ctor): Maker;
  optionsMaker(): Maker;
  /** A maker of the array of all values that are provided for a token. */
  allMaker(token: Token, kind: ScopeKind, path: Path): Maker | undefined;
}

type Newable = new (...args: unknown[]) => object;

export function pathText(path: Path): string {
  return path.map(nameOf).join(' → ');
}

export function tokenText(token: Token): string {
  if (typeof token === 'function') return nameOf(token);
  return typeof token === 'string' ? `'${token}'` : typeof token === 'symbol' ? token.toString() : 'an injection token';
}

/** Whether a value is a token: the types say so, but a circle of imports or JavaScript gives others all the same. */
export function isToken(token: unknown): token is Token {
  return ['function', 'string', 'symbol'].includes(typeof token) || (typeof token === 'object' && token !== null);
}

export function notToken(token: unknown): string {
  const circle = token === undefined ? ' (a class is undefined where modules import each other in a circle)' : '';
  return `${String(token)} is no token: write a class, a string or a symbol${circle}`;
}

/** Stands where a mistake was found: bootstrap never gets as far as calling it. */
export function impossible(): never {
  throw new TypeError('a plan with mistakes cannot be carried out');
}

/** `new` with its arguments' makers, without an argument array for the usual arities. */
function construct(cls: Ctor, makers: readonly Maker[]): Maker {
  const C = cls as unknown as Newable;
  const [a, b, c, d] = makers as [Maker, Maker, Maker, Maker];
  switch (makers.length) {
    case 0:
      return () => new C();
    case 1:
      return s => new C(a(s));
    case 2:
      return s => new C(a(s), b(s));
    case 3:
      return s => new C(a(s), b(s), c(s));
    case 4:
      return s => new C(a(s), b(s), c(s), d(s));
    default:
      return s => new C(...makers.map(make => make(s)));
  }
}

/** The maker of a class: each constructor parameter becomes a constant, a slot or a lookup, decided here and now. */
export function planClass(cls: Ctor, kind: ScopeKind, context: PlanContext, path: Path): Maker {
  if (path.includes(cls)) {
    const circle = [...path.slice(path.indexOf(cls)), cls];
    context.mistakes.push({
      where: nameOf(cls),
      wrong: `depends on itself: ${pathText(circle)}`,
      remedy: 'break the circle, or inject one side with @inject(delay(() => Class))',
    });
    return impossible;
  }
  const inside = [...path, cls];
  const makers = readParameters(cls).map((parameter, index) => planParameter(parameter, index, kind, context, inside));
  return construct(cls, makers);
}

/** `Date`, `URL`, `Map`: only a factory knows their arguments, they are never guessed from their parameters. */
function isBuiltIn(token: { readonly name: string }): boolean {
  return Reflect.get(globalThis, token.name) === token;
}

/** Advice for a token that nothing provides. */
export function provideIt(token: Token): string {
  const kind = kindOf(token);
  if (kind === 'worker')
    return `a worker lives in processes of its own: write @InjectWorker(${tokenText(token)}), which gives a client of it`;
  if (kind === 'connection') return 'there is one for each connection: let a provider have what they share';
  const what =
    typeof token === 'function' && !isBuiltIn(token) ? nameOf(token) : `{ token: ${tokenText(token)}, useClass, useValue or useFactory }`;
  return `list it with the module or the worker whose process it is to live in: providers: [${what}]`;
}

function planParameter(parameter: ParameterBlueprint, index: number, kind: ScopeKind, context: PlanContext, path: Path): Maker {
  const cls = path[path.length - 1]!;
  if (parameter.kind === 'worker') return context.workerMaker(parameter.worker, parameter.key, parameter.owner, kind, cls);
  if (parameter.kind === 'options') return context.optionsMaker();
  if (parameter.kind === 'unknown') {
    // The reading of the class found it, too: what is told twice is shown once.
    context.mistakes.push(...parameterMistakes(cls));
    return impossible;
  }
  const { token } = parameter;
  const all = parameter.multiple === true;
  const maker = all ? context.allMaker(token, kind, path) : context.makerOf(token, kind, path);
  if (maker) return maker;
  if (parameter.optional === true) return () => (all ? [] : undefined);
  const needed = path.length === 1 ? '' : ` (needed by ${pathText(path.slice(0, -1))})`;
  const absence = context.absence(token);
  context.mistakes.push({
    where: nameOf(cls),
    member: `constructor, parameter ${index + 1}`,
    wrong: absence ? `${absence.wrong}${needed}` : `nothing provides ${tokenText(token)}${needed}`,
    remedy: absence?.remedy ?? provideIt(token),
  });
  return impossible;
}
