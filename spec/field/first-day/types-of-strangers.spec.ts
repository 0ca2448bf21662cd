import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const { exports, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
  dependencies: Record<string, string>;
};

/** Every declaration file that a consumer's compiler reads, and the packages that they import. */
function declarationsFrom(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (const file of waiting) {
    if (files.has(file)) continue;
    files.add(file);
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
    for (const [, name] of code.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (name!.startsWith('.')) waiting.push(join(dirname(file), name!.replace(/\.js$/, '.d.ts')));
      else packages.add(name!);
    }
  }
  return { files, packages };
}

/** What a sub-path extends: its users have that package, which brings its own types. */
const EXTENDED: Readonly<Record<string, string>> = { './metrics': 'prom-client', './otel': '@opentelemetry/api' };

describe('the declarations of the package', () => {
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue;
    it(`need no types besides those of its dependencies, of Node and of what it extends: ${path}`, () => {
      const { files, packages } = declarationsFrom(join(root, target.types));
      expect(files.size).to.be.above(0);
      const strangers = [...packages].filter(
        name => !name.startsWith('node:') && !Object.hasOwn(dependencies, name) && name !== EXTENDED[path],
      );
      expect(strangers).to.deep.equal([]);
    });
  }

  it('lead to the sources, which the package carries', () => {
    const map = JSON.parse(readFileSync(join(root, 'dist/src/decorators/worker/task.d.ts.map'), 'utf8')) as { sources: readonly string[] };
    expect(map.sources.map(source => join(root, 'dist/src/decorators/worker', source))).to.deep.equal([
      join(root, 'src/decorators/worker/task.ts'),
    ]);
  });
});
