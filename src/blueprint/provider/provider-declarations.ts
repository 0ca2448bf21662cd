import { show } from '../../option-rules.js';
import type { Mistake } from '../../errors.js';
import { kindOf, withoutUndefined } from '../lineage.js';
import { nameOf, type Report } from '../mistakes.js';
import { readProvider } from './provider.js';
import type { Ctor, ProviderDeclaration, Token } from '../types.js';

const WAYS = ['useValue', 'useClass', 'useFactory'] as const;
const FIELDS: ReadonlySet<string> = new Set(['token', 'scope', ...WAYS]);

function tokenName(token: unknown): string {
  return typeof token === 'string' ? `'${token}'` : nameOf(token);
}

/** A class in `providers` must be no connection, worker, proxy or module: those are built otherwise. */
function isProvider(cls: Ctor, report: Report): boolean {
  const kind = kindOf(cls);
  if (kind === 'proxy') report('providers', `${nameOf(cls)} is a proxy`, 'name it in the `proxy` option of its worker');
  else if (kind !== undefined)
    report('providers', `${nameOf(cls)} is a ${kind}`, `list it in \`${kind === 'module' ? 'imports' : `${kind}s`}\``);
  return kind === undefined;
}

function fromClass(token: Token, cls: unknown, scope: ProviderDeclaration['scope'], report: Report): ProviderDeclaration | undefined {
  if (typeof cls !== 'function') {
    report(
      'providers',
      `useClass of ${tokenName(token)} is ${String(cls)}`,
      'give a class; `undefined` means modules that import each other in a circle',
    );
    return undefined;
  }
  return isProvider(cls as Ctor, report) ? { token, kind: 'class', cls: cls as Ctor, scope } : undefined;
}

function fromObject(written: Readonly<Record<string, unknown>>, report: Report): ProviderDeclaration | undefined {
  const { token, scope = 'app' } = withoutUndefined(written);
  const name = tokenName(token);
  if (token === undefined || token === null) {
    report(
      'providers',
      'a provider has no token',
      'write a class, or { token, useValue | useClass | useFactory }; an undefined class means modules that import each other in a circle',
    );
    return undefined;
  }
  const ways = WAYS.filter(way => Object.hasOwn(written, way));
  for (const field of Object.keys(written))
    if (!FIELDS.has(field))
      report('providers', `the provider of ${name} has a field '${field}'`, 'write token, scope and one of useValue, useClass, useFactory');
  if (scope !== 'app' && scope !== 'connection')
    report('providers', `the scope of ${name} is ${show(scope)}`, "write scope: 'connection', or nothing for one per application");
  if (ways.length !== 1) {
    report(
      'providers',
      `the provider of ${name} has ${ways.length === 0 ? 'no' : ways.join(' and ')}`.replace('has no', 'says not how it is made'),
      'write one of useValue, useClass, useFactory',
    );
    return undefined;
  }
  const where = scope === 'connection' ? 'connection' : 'app';
  if (ways[0] === 'useClass') return fromClass(token, written['useClass'], where, report);
  if (ways[0] === 'useValue') {
    if (where === 'connection')
      report('providers', `${name} is one value, and cannot be one per connection`, 'remove the scope, or write useFactory');
    return { token, kind: 'value', value: written['useValue'], scope: 'app' };
  }
  if (typeof written['useFactory'] === 'function')
    return { token, kind: 'factory', factory: written['useFactory'] as NonNullable<ProviderDeclaration['factory']>, scope: where };
  report('providers', `useFactory of ${name} is no function`, 'write useFactory: container => …');
  return undefined;
}

function isSame(a: ProviderDeclaration, b: ProviderDeclaration): boolean {
  return a.kind === b.kind && a.scope === b.scope && a.cls === b.cls && Object.is(a.value, b.value) && a.factory === b.factory;
}

/** One provider as it was written; undefined for a mistake. */
export function readDeclaration(written: unknown, report: Report): ProviderDeclaration | undefined {
  if (typeof written === 'function') return fromClass(written, written, 'app', report);
  if (typeof written === 'object' && written !== null) return fromObject(written as Record<string, unknown>, report);
  report(
    'providers',
    `it lists ${String(written)}`,
    'list classes and { token, … }; `undefined` means modules that import each other in a circle',
  );
  return undefined;
}

/** Merges providers of several modules: equal ones count once, different ones of one token are a mistake. */
export function mergeProviders(
  found: readonly { readonly declaration: ProviderDeclaration; readonly report: Report }[],
): readonly ProviderDeclaration[] {
  const byToken = new Map<Token, ProviderDeclaration>();
  for (const { declaration, report } of found) {
    const known = byToken.get(declaration.token);
    if (!known) byToken.set(declaration.token, declaration);
    else if (!isSame(known, declaration)) {
      report(
        'providers',
        `${tokenName(declaration.token)} is provided twice, differently`,
        'modules are flat: provide it once, or under two tokens',
      );
    }
  }
  return [...byToken.values()];
}

/** Mistakes in the classes that the declarations name. */
export function providerMistakes(declarations: readonly ProviderDeclaration[]): readonly Mistake[] {
  return declarations.flatMap(({ cls }) => (cls === undefined ? [] : readProvider(cls).mistakes));
}
