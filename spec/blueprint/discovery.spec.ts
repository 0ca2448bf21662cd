import { expect } from 'chai';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readModule } from '../../src/blueprint/index.js';
import { Module, discover } from '../../src/decorators/module.js';
import { told } from './kit.js';

const WORKER = JSON.stringify(new URL('../../src/decorators/worker/worker.js', import.meta.url).href);
const declare = (...names: readonly string[]): string =>
  `import { Worker } from ${WORKER};\n${names.map(name => `Worker('discovery spec: ${name}')(class {});`).join('\n')}`;

describe('discover()', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packet-ts-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function read(where: string | URL = folder) {
    @Module({ workers: [discover(where instanceof URL ? where : pathToFileURL(`${where}/`))] })
    class Test {}
    const { app, mistakes } = await readModule(Test);
    return { names: app.workers.map(({ name }) => name.replace('discovery spec: ', '')), told: told(mistakes) };
  }

  it('finds the workers of a folder, exported or not, and loads nothing else', async () => {
    await writeFile(join(folder, 'b.worker.mjs'), declare('b1', 'b2'));
    await writeFile(join(folder, 'a.worker.mjs'), `${declare()}\nexport class A {}\nWorker('discovery spec: a')(A);`);
    for (const name of ['worker.mjs', 'helper.mjs', 'a.worker.d.ts', 'a.worker.mjs.map', 'aworker.mjs'])
      await writeFile(join(folder, name), 'throw new Error("loaded")');
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep', 'c.worker.mjs'), 'throw new Error("loaded")');
    expect(await read()).to.deep.equal({ names: ['a', 'b1', 'b2'], told: [] });
  });

  it('follows links to modules that lie elsewhere', async () => {
    await mkdir(join(folder, 'real'));
    await mkdir(join(folder, 'linked'));
    await writeFile(join(folder, 'real', 'l.worker.mjs'), declare('linked'));
    await symlink(join(folder, 'real', 'l.worker.mjs'), join(folder, 'linked', 'l.worker.mjs'));
    expect(await read(join(folder, 'linked'))).to.deep.equal({ names: ['linked'], told: [] });
  });

  it('prefers the output where a module lies there as source, too', async () => {
    await writeFile(join(folder, 'twice.worker.ts'), 'throw new Error("loaded")');
    await writeFile(join(folder, 'twice.worker.mjs'), declare('twice'));
    expect(await read()).to.deep.equal({ names: ['twice'], told: [] });
  });

  it('tells of a folder that is not there, or empty', async () => {
    const { told: missing } = await read(join(folder, 'missing'));
    expect(missing[0]).to.match(/^Test\.workers: discover\('file:.*missing\/'\) cannot be read: ENOENT/);
    expect((await read()).told[0]).to.match(/has no worker module$/);
    expect((await read(new URL('https://example.com/'))).told[0]).to.match(/cannot be read: The URL must be of scheme file/);
  });

  it('tells of modules that break or declare nothing, and goes on with the others', async () => {
    await writeFile(join(folder, 'broken.worker.mjs'), 'throw new RangeError("no disk")');
    await writeFile(join(folder, 'empty.worker.mjs'), 'export class Nothing {}');
    await writeFile(join(folder, 'good.worker.mjs'), declare('good'));
    const { names, told } = await read();
    expect(names).to.deep.equal(['good']);
    expect(told[0]).to.match(/broken\.worker\.mjs of .* cannot be imported: RangeError: no disk/);
    expect(told[1]).to.match(/empty\.worker\.mjs of .* declares no worker/);
  });
});
