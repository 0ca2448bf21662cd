import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../../scripts/structure/read-sources.js';

interface Manifest {
  readonly files: readonly string[];
  readonly repository?: string;
}

interface PackDocs {
  isCarried(manifest: Manifest, path: string): boolean;
  packedText(manifest: Manifest, file: string, text: string): string;
  carriedMarkdown(manifest: Manifest): readonly string[];
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const script = (await import(pathToFileURL(join(ROOT, 'scripts/pack-docs.mjs')).href)) as PackDocs;
const packed = (file: string): string => script.packedText(manifest, file, readFileSync(join(ROOT, file), 'utf8'));
const linksOf = (text: string): readonly string[] => [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);

describe('the Markdown of the package', () => {
  it('has a README that says where in the package its links lead, as no page of a registry knows its files', () => {
    const text = packed('README.md');
    expect(linksOf(text).filter(to => !to.startsWith('https://'))).to.deep.equal([]);
    expect(text).to.include('others tell less (`docs/errors.md`)').and.to.include('- `docs/workers.md`: every option');
    const paths = [...text.matchAll(/`((?:docs|examples|src)\/[^`\s]+)`/g)].map(([, path]) => path!);
    expect(paths.length).to.be.greaterThan(40);
    expect(paths.filter(path => !script.isCarried(manifest, path) && !manifest.files.includes(path))).to.deep.equal([]);
  });

  it('leaves the links of the README relative where package.json names a repository, against which registries resolve them', () => {
    const text = '[docs](docs/workers.md) ![page](docs/images/a.png)';
    expect(script.packedText({ ...manifest, repository: 'github:a/b' }, 'README.md', text)).to.equal(text);
  });

  it('has no link to a file that it does not carry: the words stay', () => {
    expect(
      script.packedText(
        manifest,
        'docs/x.md',
        'see [the spec](../spec/docs/pages.spec.ts), `all[name](x)`, [workers](workers.md#a), [web](https://a.b/c)',
      ),
    ).to.equal('see the spec, `all[name](x)`, [workers](workers.md#a), [web](https://a.b/c)');
    const dead = script.carriedMarkdown(manifest).flatMap(file =>
      linksOf(packed(file))
        .filter(to => !/^(?:[a-z]+:|#)/.test(to))
        .filter(to => !script.isCarried(manifest, join(file, '..', to.replace(/#.*/, '')).replace(/\/$/, '')))
        .map(to => `${file}: ${to}`),
    );
    expect(dead).to.deep.equal([]);
  });
});
