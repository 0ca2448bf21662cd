import { expect } from 'chai';
import { checkExportedNames, checkInternals } from '../../scripts/structure/names.js';

describe('the names of src', () => {
  const clashes = (files: Record<string, string>): string[] => checkExportedNames(new Map(Object.entries(files))).map(({ what }) => what);

  it('are exported with one meaning (R5)', () => {
    expect(clashes({ 'src/a.ts': 'export class Call {}\n', 'src/b/c.ts': '\nexport interface Call {}\n' })).to.deep.equal([
      'Call is exported by src/b/c.ts, too',
    ]);
    expect(clashes({ 'src/a.ts': 'export async function run() {}\n', 'src/b.ts': 'export const run = 1;\n' })).to.have.length(1);
    expect(clashes({ 'src/a.ts': 'export abstract class Pool {}\n', 'src/b.ts': 'export type Pool = 1;\n' })).to.have.length(1);
  });

  it('may be overloaded, be a type and its value, be exported again, and be used in specs (R5)', () => {
    const overloads = 'export function on(): void;\nexport function on(a?: 1): void {}\nexport type Kind = 1;\nexport const Kind = 1;\n';
    const files = { 'src/a.ts': overloads, 'src/b.ts': "export { on, Kind } from './a.js';\n", 'spec/a.ts': 'export class Kind {}\n' };
    expect(clashes(files)).to.deep.equal([]);
    expect(
      clashes({ 'src/a.ts': '// export class A {}\n', 'src/b.ts': 'const s = `\nexport class A {}`;\nexport class A {}\n' }),
    ).to.deep.equal([]);
  });

  for (const use of [
    'socket._handle?.close();',
    'const { _handle: handle } = stream;',
    'interface X { readonly _parent?: Socket }',
    "const name = 'kChannelHandle';",
    'Object.getOwnPropertySymbols(child);',
    'server._connections;',
    "process.binding('uv');",
  ]) {
    it(`are Node's documented ones: not ${use} (R8)`, () => {
      expect(checkInternals('src/http/a.ts', `run();\n${use}\n`).map(({ line }) => line)).to.deep.equal([2]);
      expect(checkInternals('src/node-internals.ts', use)).to.deep.equal([]);
    });
  }

  it('may be methods of a stream of our own, zod, and words of comments (R8)', () => {
    const text =
      'class A extends Duplex { override _read() { this._destroy(); super._final(); } }\nschema._zod.run();\n// socket._handle\n';
    expect(checkInternals('src/http/a.ts', text)).to.deep.equal([]);
  });
});
