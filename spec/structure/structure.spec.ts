import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { errorClasses } from '../../src/errors.js';
import { checkStructure, describeOffence } from '../../scripts/structure/check.js';
import { FLOORS } from '../../scripts/structure/floors.js';
import { readPages, readSources, ROOT } from '../../scripts/structure/read-sources.js';
import { importsOf } from '../../scripts/structure/source-text.js';

/** Class → the codes that its source gives to it. */
function codesInSource(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const files = [...readSources(['src'])].filter(([file]) => /^src\/errors[./]/.test(file));
  for (const [, text] of files) {
    for (const part of text.split(/^(?=export (?:abstract )?class )/m)) {
      const name = /^export class (\w+)/.exec(part)?.[1];
      const codes = new Set(part.match(/'ERR_PACKET_[A-Z_]+'/g)?.map(code => code.slice(1, -1)));
      if (name !== undefined && codes.size > 0) found.set(name, [...codes]);
    }
  }
  return found;
}

/** 'code class' of every row of docs/errors.md. */
function rowsOfDocs(): string[] {
  const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  return [...text.matchAll(/^\| `(ERR_PACKET_\w+)` \| `(\w+)` \|/gm)].map(([, code, name]) => `${code} ${name}`);
}

/** Markdown files of the project, relative to it. */
function markdownFiles(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(name => `docs/${name}`);
  return [...readdirSync(ROOT), ...docs].filter(name => name.endsWith('.md'));
}

describe('the structure of the project', () => {
  it('keeps the rules of the house', () => {
    expect(checkStructure(new Map([...readSources(), ...readPages()])).map(describeOffence)).to.deep.equal([]);
  });

  it('documents every error code, and none that does not exist', () => {
    const inSource = [...codesInSource()].flatMap(([name, codes]) => codes.map(code => `${code} ${name}`));
    expect(rowsOfDocs().sort()).to.deep.equal(inSource.sort());
  });

  it('registers every error class in the catalogue, so that the wire can rebuild it', () => {
    expect(Object.keys(errorClasses).sort()).to.deep.equal(['PacketError', ...codesInSource().keys()].sort());
  });

  for (const file of markdownFiles()) {
    it(`has no dead link in ${file}`, () => {
      const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
      const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1]!).filter(target => !/^(?:[a-z]+:|#)/.test(target));
      const dead = targets.filter(target => !existsSync(join(ROOT, dirname(file), decodeURI(target.replace(/#.*$/, '')))));
      expect(dead).to.deep.equal([]);
    });
  }
});

describe('the picture in the README', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const picture = /```mermaid\n([\s\S]*?)```/.exec(text)![1]!;

  it('names nodes that are files of that name', () => {
    const nodes = [...new Set(picture.match(/\b[A-Z][a-z]+[A-Za-z]*(?=\b(?:\[| -->|$))/gm))];
    expect(nodes.length).to.be.greaterThan(10);
    const places = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map(name => name.replace(/\.ts$/, ''));
    const missing = nodes.filter(
      node => !places.some(place => place.split('/').at(-1) === node.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()),
    );
    expect(missing).to.deep.equal([]);
  });

  it('has arrows that are imports', () => {
    const sources = readSources(['src']);
    const kebab = (node: string): string => node.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
    /** The file of that name, and all files in the folder of that name. */
    const isPartOf = (file: string, node: string): boolean => new RegExp(`/${kebab(node)}(?:\\.ts$|/)`).test(file);
    const arrows = [...picture.matchAll(/^ *(\w+)(?:\[[^\]]*\])? --> (\w+)/gm)].map(([, from = '', to = '']) => [from, to] as const);
    expect(arrows.length).to.be.greaterThan(15);
    const untrue = arrows.filter(([from, to]) => {
      const files = [...sources].filter(([file]) => isPartOf(file, from));
      return !files.some(([file, text]) =>
        importsOf(text).some(({ specifier }) => isPartOf(join(dirname(file), specifier).replace(/\.js$/, '.ts'), to)),
      );
    });
    expect(untrue).to.deep.equal([]);
  });

  it('stands beside an example that is the one which runs', () => {
    const echo = readFileSync(join(ROOT, 'examples/echo/main.ts'), 'utf8');
    const words = (code: string): string => code.replaceAll(/\/\/.*|\s+|: string(?=[ {])/g, '');
    const shown = /```ts\n(?:\/\/.*\n)?(import \{ bootstrap[\s\S]*?)```/.exec(text)![1]!;
    expect(words(shown)).to.equal(words(echo));
  });
});

describe('the floors in CONTRIBUTING.md', () => {
  it('are those that the check holds, from the top down', () => {
    const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
    const block = /```\n(index, cli\n[\s\S]*?)```/.exec(text)![1]!.trim();
    expect(block.split('\n').map(line => line.split(', '))).to.deep.equal(FLOORS.toReversed());
  });
});

describe('the structure check', () => {
  const rulesOf = (files: Record<string, string>): string[] => checkStructure(new Map(Object.entries(files))).map(({ rule }) => rule);

  it('refuses an import that goes up a floor, of values and of types', () => {
    expect(rulesOf({ 'src/wire/link/link.ts': "import { App } from '../../app/app.js';\n" })).to.deep.equal([
      'wire (floor 2) must not import app (floor 6): arrows point down',
    ]);
    expect(rulesOf({ 'src/units.ts': "import type { Pool } from './workers/pool.js';\n" })).to.have.length(1);
    expect(rulesOf({ 'src/app/app.ts': "import { Pool } from '../workers/pool.js';\n" })).to.deep.equal([]);
  });

  it('lets both sides of a contract import its types, and only its types', () => {
    expect(rulesOf({ 'src/hosts/host.ts': "import type { Link } from '../wire/types.js';\n" })).to.deep.equal([]);
    expect(rulesOf({ 'src/hosts/host.ts': "import { Link } from '../wire/types.js';\n" })).to.have.length(1);
  });

  it('keeps tsyringe and the decorators to those who may know them', () => {
    expect(rulesOf({ 'src/session/session.ts': "import { container } from 'tsyringe';\n" })).to.deep.equal([
      'session must not know tsyringe',
    ]);
    expect(rulesOf({ 'src/hosts/x.ts': "import { metadata } from '../decorators/metadata.js';\n" })).to.deep.equal([
      'hosts must not know decorators',
    ]);
  });

  it('tells a circle of imports once, with its way', () => {
    const files = new Map([
      ['src/wire/a.ts', "import { b } from './b.js';\n"],
      ['src/wire/b.ts', "export { c } from './c.js';\n"],
      ['src/wire/c.ts', "import './a.js';\n"],
    ]);
    const [offence, ...others] = checkStructure(files);
    expect(others).to.deep.equal([]);
    expect(offence).to.include({ file: 'src/wire/c.ts', line: 1, rule: 'no circular imports' });
    expect(offence!.what).to.contain('wire/a.ts → wire/b.ts → wire/c.ts → wire/a.ts');
  });

  it('takes a circle that a type closes for one, but for the recursion of the codec', () => {
    const files = { 'src/wire/a.ts': "import type { B } from './b.js';\n", 'src/wire/b.ts': "import { a } from './a.js';\n" };
    expect(rulesOf(files)).to.deep.equal(['no circular imports']);
    const codec = { 'src/wire/codec/decoder.ts': "import { read } from './extras.js';\n" };
    const types = "import type { ValueDecoder } from './decoder.js';\n";
    const values = "import { ValueDecoder } from './decoder.js';\n";
    expect(rulesOf({ ...codec, 'src/wire/codec/extras.ts': types })).to.deep.equal([]);
    expect(rulesOf({ ...codec, 'src/wire/codec/extras.ts': values })).to.include('no circular imports');
    expect(rulesOf({ ...codec, 'src/wire/codec/extras.ts': '' })).to.deep.equal(['RECURSION lists imports that exist']);
  });

  it('refuses files of more than 400 lines and folders that stand on no floor', () => {
    expect(rulesOf({ 'src/units.ts': 'x\n'.repeat(401) })).to.deep.equal(['a file has at most 400 lines']);
    expect(rulesOf({ 'src/units.ts': 'x\n'.repeat(400) })).to.deep.equal([]);
    expect(rulesOf({ 'src/utils/misc.ts': '' })).to.deep.equal(['every folder of src/ has its floor']);
  });

  it('refuses timers in specs, but not in the kit, in comments or in strings', () => {
    const timer = 'await new Promise(done => set'.concat('Timeout(done, 50));\n');
    expect(rulesOf({ 'spec/wire/link/link.spec.ts': timer })).to.deep.equal(['no timers in spec/ outside spec/kit']);
    expect(rulesOf({ 'spec/wire/link/link.spec.ts': "import { x } from 'node:timers/promises';\n" })).to.have.length(1);
    expect(
      rulesOf({ 'spec/kit/wait.ts': timer, 'spec/a.spec.ts': `// ${timer}`, 'spec/b.spec.ts': `run(\`${timer.trim()}\`);\n` }),
    ).to.deep.equal([]);
  });

  it('refuses globals beside the code of a worker, which may replace them; imported they are its own', () => {
    const rule = 'nothing global beside the code of a worker, which may replace it';
    expect(rulesOf({ 'src/wire/a.ts': 'const room = Buffer.alloc(4);\nprocess.exit();\n' })).to.deep.equal([rule, rule]);
    expect(rulesOf({ 'src/wire/a.ts': "import { Buffer } from 'node:buffer';\nconst room = Buffer.alloc(4);\n" })).to.deep.equal([]);
    expect(rulesOf({ 'src/wire/a.ts': 'let room: Buffer; // Buffer.alloc(4)\n', 'src/workers/a.ts': 'Buffer.alloc(4);\n' })).to.deep.equal(
      [],
    );
  });

  it('refuses a listener of its own on a signal, which others share', () => {
    const rule = 'whatever waits for an abort shares one listener of the signal, and is taken off it again';
    const text = "signal?.addEventListener('abort', giveUp, { once: true });\nbus.addEventListener('message', giveUp);\n";
    expect(rulesOf({ 'src/reactor/a.ts': text, 'src/abort-listeners.ts': text, 'src/wire/a.ts': `// ${text}` })).to.deep.equal([rule]);
  });

  it('refuses the timers and clocks that test frameworks replace, anywhere but in the file that reads them once', () => {
    const rule = 'the timers and clocks of src/ are those of system-timers.ts, which fake timers do not reach';
    const text = 'setImmediate(run);\nconst at = performance.now() + Date.now();\nprocess.nextTick(run);\n';
    expect(rulesOf({ 'src/http/a.ts': text })).to.deep.equal([rule, rule, rule, rule]);
    expect(rulesOf({ 'src/http/a.ts': "import { setTimeout } from 'node:timers/promises';\n" })).to.deep.equal([rule]);
    const imported = "import { setImmediate } from '../system-timers.js';\nsetImmediate(run);\n";
    expect(rulesOf({ 'src/http/a.ts': imported, 'src/system-timers.ts': 'export const now = Date.now;\n' })).to.deep.equal([]);
    expect(rulesOf({ 'src/reactor/a.ts': 'this.#core.setTimeout(1);\nclass A { nextTick(): void {} }\n' })).to.deep.equal([]);
  });

  it('refuses listeners of Node emitters without a guard, wherever the guard may stand', () => {
    const text = [
      "socket.on('data', chunk => this.#read(chunk));",
      "socket.on('end', guard(socket, () => this.#end())).once('close', left);",
      "socket.once(\n  'error',\n  ignore);",
      'const left = guard(socket, () => {});',
      "child?.once('exit', code => this.#exit(code));",
      "process.on('exit', leave);",
    ].join('\n');
    expect(checkStructure(new Map([['src/http/bad.ts', text]])).map(({ what }) => what)).to.deep.equal([
      "listens to 'data'",
      "listens to 'exit'",
    ]);
  });

  it('finds imports of every form, whatever stands around them', () => {
    const text = `
      // import './comment.js'
      const fake = "import './string.js'", pattern = /['"\`]/, division = 1 / 2 / 3;
      const nested = \`\${\`import './template.js' \${"}"}\`}\`;
import first, { type Second } from './value.js';
import {
  type Third,
  type Fourth,
} from './types.js';
import type Fifth from './type.js';
export * from './all.js';
export type { Sixth } from './exported-type.js';
export const seventh = 'from', eighth = 'x';
import './effect.js';
type Ninth = typeof import('./typeof.js');
const tenth = await import('./dynamic.js');
`;
    expect(importsOf(text).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`)).to.deep.equal([
      './value.js',
      './types.js type',
      './type.js type',
      './all.js',
      './exported-type.js type',
      './effect.js',
      './typeof.js type',
      './dynamic.js',
    ]);
  });
});
