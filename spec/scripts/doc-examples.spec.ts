import { expect } from 'chai';
import { examplesIn } from '../../scripts/doc-examples/extract.js';
import { exportsOf, moduleOf } from '../../scripts/doc-examples/module-of.js';

function moduleFor(code: string, own: readonly string[] = [], shared: readonly string[] = []): string {
  const names = (list: readonly string[], module: string): Map<string, string> => new Map(list.map(name => [name, module]));
  return moduleOf({ file: 'src/a.ts', line: 1, code }, names(own, '../src/a.js'), names(shared, 'packet-ts'));
}

describe('examples of doc comments', () => {
  it('are found with their lines, up to the next tag, decorators included', () => {
    const text = [
      '/**',
      ' * Does it.',
      ' * @example',
      ' * @Worker("x")',
      ' * class A {}',
      ' * @throws Error',
      ' * @example b()',
      ' */',
    ].join('\n');
    expect(examplesIn('src/a.ts', `\n${text}\nconst a = "@example c()";`)).to.deep.equal([
      { file: 'src/a.ts', line: 4, code: '@Worker("x")\nclass A {}' },
      { file: 'src/a.ts', line: 8, code: 'b()' },
    ]);
    expect(examplesIn('src/a.ts', '/** Does it. @example d() */')).to.deep.equal([]);
    expect(examplesIn('src/a.ts', '/** @example e() */').map(({ code }) => code)).to.deep.equal(['e()']);
  });

  it('import the names that they use and do not declare, first from the file that they stand in', () => {
    const module = moduleFor('const a = b(c);\nconst { d } = a;\nd.e();', ['a', 'b', 'd', 'e'], ['b', 'c']);
    expect(module.match(/^import .*/gm)).to.deep.equal(["import { b } from '../src/a.js';", "import { c } from 'packet-ts';"]);
  });

  it('stand in a class or an object where they are a part of one', () => {
    expect(moduleFor('@OnData() hear(line: string) { return line; }')).to.match(/^abstract class Example extends Context \{\n@OnData/m);
    expect(moduleFor('async *count() {}')).to.include('class Example extends Context');
    expect(moduleFor('constructor(private readonly log: Logger) {}')).to.match(/^class Example \{\nconstructor/m);
    expect(moduleFor("authorize: () => 'read'")).to.match(/^export const example = \{\nauthorize/m);
    expect(moduleFor("@Module({ workers: [f(')')] })")).to.match(/\)\nclass Example \{\}$/m);
    expect(moduleFor('@Worker("x") // the name\nclass A {}')).not.to.include('Example');
    expect(moduleFor('const order = {};\n@Put("/", order) change() { … }')).to.match(/^const order = \{\};\n\nabstract class Example/m);
  });

  it('have bodies where they leave them out', () => {
    expect(moduleFor('class A { … }')).to.include('class A {}');
    expect(moduleFor('@OnData() hear(): string { … }')).to.include('{ return undefined as never; }');
  });

  it('know the names that a file exports, each way', () => {
    const text = [
      'export const a = 1;',
      'export abstract class B {}',
      'export async function c() {}',
      'export function* d() {}',
      "export { e, type F, g as h } from './x.js';",
      "export type { I } from './x.js';",
      'const j = 1;',
    ].join('\n');
    expect(exportsOf(text).sort()).to.deep.equal(['B', 'F', 'I', 'a', 'c', 'd', 'e', 'h']);
  });
});
