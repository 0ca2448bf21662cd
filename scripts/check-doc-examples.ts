/**
 * Compiles the examples of the doc comments of src/ against the built types; exits with 1 where one does not compile.
 * @example node dist/scripts/check-doc-examples.js
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesIn } from './doc-examples/extract.js';
import { exportsOf, moduleOf, type Names } from './doc-examples/module-of.js';
import { readSources, ROOT } from './structure/read-sources.js';

/** Entry points of the package, the first one that exports a name is imported from; what is left over comes from the prelude. */
const ENTRIES = ['', 'framing', 'http', 'testing', 'metrics', 'otel', 'nats'] as const;
const PRELUDE = 'scripts/doc-examples/prelude.ts';
const FOLDER = join(ROOT, 'dist/doc-examples');
const OPTIONS = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    rootDir: '../..',
    noEmit: true,
    outDir: '../none',
    incremental: false,
    tsBuildInfoFile: null,
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
    isolatedModules: false,
    types: ['node', 'mocha'],
  },
  include: ['*.ts'],
  exclude: [],
};

const sources = readSources(['src', 'scripts']);

function namesOf(file: string, module: string): [string, string][] {
  return exportsOf(sources.get(file) ?? '').map(name => [name, module]);
}

const shared: Names = new Map([
  ...namesOf(PRELUDE, '../scripts/doc-examples/prelude.js'),
  ...ENTRIES.toReversed().flatMap(entry =>
    namesOf(entry === '' ? 'src/index.ts' : `src/${entry}/index.ts`, entry === '' ? 'packet-ts' : `packet-ts/${entry}`),
  ),
]);

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(OPTIONS));
const examples = [...sources].filter(([file]) => file.startsWith('src/')).flatMap(([file, text]) => examplesIn(file, text));
const places = new Map<string, string>();
for (const example of examples) {
  const { file, line } = example;
  const name = `${file.slice('src/'.length, -'.ts'.length).replaceAll('/', '.')}.${line}.ts`;
  const own: Names = new Map(namesOf(file, `../${file.replace(/\.ts$/, '.js')}`));
  writeFileSync(join(FOLDER, name), moduleOf(example, own, shared));
  places.set(name, `${file}:${line}`);
}

const { status, stdout } = spawnSync('npx', ['tsc', '-p', FOLDER, '--pretty', 'false'], { cwd: ROOT, encoding: 'utf8' });
if (status === 0) console.log(`examples: ${examples.length} of the doc comments compile`);
else {
  console.error(
    stdout.replace(/^dist\/doc-examples\/([^(]+)\(/gm, (_, name: string) => `${places.get(name) ?? name}: dist/doc-examples/${name}(`),
  );
  process.exitCode = 1;
}
