import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventNames } from '../../src/diagnostics.js';
import { ROOT } from '../../scripts/structure/read-sources.js';

type Fields = ReadonlyMap<string, string>;

const source = (file: string): string => readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');

/** `readonly name?: …` of a text, as 'name?'. */
function fieldsIn(text: string): string[] {
  return [...text.matchAll(/readonly (\w+)(\??):/g)].map(([, name, optional]) => `${name}${optional}`);
}

/** Interfaces by name: own fields and those of the ones that they extend. */
function interfacesOf(...files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [, name, base, body] of files
    .map(source)
    .join('\n')
    .matchAll(/interface (\w+)(?: extends (\w+))? \{([^}]*)\}/g))
    found.set(name!, [...(base === undefined ? [] : found.get(base)!), ...fieldsIn(body!)]);
  return found;
}

/** The events and their fields, as the interface has them. */
function declared(): Fields {
  const types = 'src/diagnostics/event-types.ts';
  const interfaces = interfacesOf('src/decorators/connection/close-types.ts', 'src/decorators/hook-types.ts', types);
  const body = /export interface Events \{([\s\S]*?)\n\}/.exec(source(types))![1]!;
  return new Map(
    [...body.matchAll(/'([\w.-]+)':([\s\S]*?);(?=\s*(?:'|$))/g)].map(([, event, type]) => {
      const names = [...type!.replaceAll(/\{[\s\S]*?\}/g, '').matchAll(/(Partial<)?\b([A-Z]\w+)\b/g)].filter(
        ([, , name]) => name !== 'Partial',
      );
      const inherited = names.flatMap(([, partial, name]) =>
        interfaces.get(name!)!.map(field => (partial ? `${field.replace('?', '')}?` : field)),
      );
      return [event!, [...inherited, ...fieldsIn(type!)].sort().join(' ')];
    }),
  );
}

/** The same, as docs/events.md has them. */
function documented(): Fields {
  const page = readFileSync(join(ROOT, 'docs/events.md'), 'utf8');
  return new Map(
    [...page.matchAll(/^\| `([a-z]+\.[a-z-]+)` \| `([^`]*)` \|/gm)].map(([, event, fields]) => [
      event!,
      fields!.split(' ').sort().join(' '),
    ]),
  );
}

describe('docs/events.md', () => {
  it('has every event with its fields, and none that does not exist', () => {
    expect([...declared().keys()].sort()).to.deep.equal([...eventNames].sort());
    expect(Object.fromEntries(documented())).to.deep.equal(Object.fromEntries(declared()));
  });
});
