import 'reflect-metadata';
import type { Mistake } from '../../errors.js';
import { ownDeclarations } from '../../decorators/metadata.js';
import { lineage } from '../lineage.js';
import { nameOf } from '../mistakes.js';
import type { Ctor, ParameterBlueprint, Token } from '../types.js';

/** Where tsyringe's `@inject` notes what it was given. */
const INJECTION_TOKENS = 'injectionTokens';
const PARAMETER_TYPES = 'design:paramtypes';

/** Classes that the compiler emits for types that are no class: interfaces, unions, primitives. */
const NO_TOKENS: ReadonlySet<unknown> = new Set([
  Object,
  String,
  Number,
  Boolean,
  Array,
  Function,
  Symbol,
  BigInt,
  Promise,
  undefined,
  null,
]);

interface Injected {
  readonly token: Token;
  readonly multiple?: boolean | undefined;
  readonly isOptional?: boolean | undefined;
  readonly transform?: Token | undefined;
}

/** tsyringe's own entry: from `@inject`, or written by it over the compiler's types (it changes that array in place). */
function isInjected(value: unknown): value is Injected {
  return typeof value === 'object' && value !== null && 'token' in value && ('multiple' in value || 'transform' in value);
}

function toBlueprint(type: unknown): ParameterBlueprint {
  if (isInjected(type)) {
    // A transform is tsyringe's to resolve: it travels whole.
    if (type.transform !== undefined) return { kind: 'token', token: type };
    return { kind: 'token', token: type.token, multiple: type.multiple === true, optional: type.isOptional === true };
  }
  return NO_TOKENS.has(type) ? { kind: 'unknown' } : { kind: 'token', token: type as Token };
}

/**
 * The class of the lineage whose constructor runs with arguments. A class without metadata and without declared parameters
 * has no constructor of its own, or one that ignores what it is given: those of its base are passed.
 */
function constructorOwner(cls: Ctor): Ctor {
  return (
    lineage(cls).find(
      c =>
        c.length > 0 ||
        Reflect.hasOwnMetadata(PARAMETER_TYPES, c) ||
        Reflect.hasOwnMetadata(INJECTION_TOKENS, c) ||
        ownDeclarations(c).parameters.length > 0,
    ) ?? cls
  );
}

/** The parameters of a constructor. Trailing parameters with defaults whose type is unknown are left out. */
export function readParameters(cls: Ctor): readonly ParameterBlueprint[] {
  const owner = constructorOwner(cls);
  const types = (Reflect.getOwnMetadata(PARAMETER_TYPES, owner) as unknown[] | undefined) ?? [];
  const injected = (Reflect.getOwnMetadata(INJECTION_TOKENS, owner) as Record<string, unknown> | undefined) ?? {};
  const ours = ownDeclarations(owner).parameters;
  const length = Math.max(
    owner.length,
    types.length,
    ...Object.keys(injected).map(index => Number(index) + 1),
    ...ours.map(({ index }) => index + 1),
  );
  const parameters = Array.from({ length }, (_, index): ParameterBlueprint => {
    const own = ours.findLast(parameter => parameter.index === index);
    if (own?.kind === 'worker') return { kind: 'worker', worker: own.worker, key: own.key, owner: own.owner };
    if (own) return { kind: 'options' };
    return toBlueprint(injected[String(index)] ?? types[index]);
  });
  while (parameters.length > owner.length && parameters.at(-1)?.kind === 'unknown') parameters.pop();
  return parameters;
}

/** Which one: that of tsyringe takes no abstract class, and it is bases that are abstract. */
function decoratorFor(base: string | undefined): string {
  return base === undefined ? 'that class (@injectable() will do)' : `${base} (@Connection(), @Proxy() or @injectable() will do)`;
}

/** A mistake for each constructor parameter of which nothing is known. */
export function parameterMistakes(cls: Ctor, parameters: readonly ParameterBlueprint[] = readParameters(cls)): readonly Mistake[] {
  const owner = constructorOwner(cls);
  const typed = Reflect.hasOwnMetadata(PARAMETER_TYPES, owner);
  return parameters.flatMap((parameter, index) => {
    if (parameter.kind !== 'unknown') return [];
    const inherited = owner === cls ? '' : `, inherited from ${nameOf(owner)},`;
    return {
      where: nameOf(cls),
      member: `constructor, parameter ${index + 1}`,
      wrong: typed
        ? `its type${inherited} is no class, so nothing says what to inject`
        : `its type${inherited} is not known: the compiler wrote no metadata`,
      remedy: typed
        ? 'write @InjectWorker(X) if it is a WorkerClient<X>, else @inject(Token), or import its class without `type`'
        : `write @inject(Token) (tsx, esbuild and Vite emit no metadata), @InjectWorker(X) if it is a WorkerClient<X>, or compile with emitDecoratorMetadata and put a decorator on ${decoratorFor(owner === cls ? undefined : nameOf(owner))}`,
    };
  });
}
