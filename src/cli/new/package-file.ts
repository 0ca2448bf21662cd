import { readFileSync } from 'node:fs';
import { ownPackage } from '../../package-home.js';
import type { Template } from './templates.js';

type Ranges = Readonly<Record<string, string>>;

interface OwnFile {
  readonly version: string;
  readonly dependencies: Ranges;
  readonly devDependencies: Ranges;
  readonly peerDependencies: Ranges;
}

/** The package.json of a new project: the same versions as this package is built and tested with. */
export function packageFile(name: string, { peers }: Template, spec: string | undefined): string {
  const own = JSON.parse(readFileSync(new URL('package.json', ownPackage()), 'utf8')) as OwnFile;
  const start = 'packet-ts run dist/app.module.js';
  const file = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    scripts: {
      build: 'tsc',
      prestart: 'npm run --silent build',
      start,
      precheck: 'npm run --silent build',
      check: 'packet-ts check dist/app.module.js',
      pretest: 'npm run --silent build',
      test: 'node --test dist/app.test.js',
    },
    dependencies: {
      'packet-ts': spec ?? `^${own.version}`,
      zod: own.dependencies['zod'],
      ...Object.fromEntries(peers.map(peer => [peer, own.peerDependencies[peer]])),
    },
    devDependencies: Object.fromEntries(['@types/node', 'typescript'].map(each => [each, own.devDependencies[each]])),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
