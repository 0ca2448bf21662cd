import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ConfigurationError, spawn, Task, Worker, type WorkerUnavailableError } from 'packet-ts';
import { spawnScript } from '../../../kit/index.js';
import { failure, Scene } from '../../../promises/pool/scene.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const fixture = (name: string): string => join(ROOT, 'spec/fixtures/loaders', name);
const compiled = (name: string): URL => new URL(`../../../fixtures/loaders/${name}`, import.meta.url);

interface Seen {
  readonly viaImport?: number;
  readonly viaRequire?: number;
  readonly execArgv: readonly string[];
  readonly inspector?: string;
}

async function seenBy(script: ReturnType<typeof spawnScript>): Promise<{ master: Seen; worker: Seen }> {
  const line = await script.line(/^seen /, { within: '20s' });
  expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  return JSON.parse(line.slice('seen '.length)) as { master: Seen; worker: Seen };
}

describe('loading', function () {
  // How the same application runs from tsc, tsx, an esbuild bundle and a linked package is shown in ../loaders.spec.ts.
  it('55. the parent’s --import, -r, --enable-source-maps, --conditions reach the child, compiled and under tsx; --inspect does not', async () => {
    const scene = await Scene.open({ where: 'inline' });
    const required = scene.path('required.cjs');
    writeFileSync(required, 'globalThis.viaRequire = 2;');
    const own = ['--import', 'data:text/javascript,globalThis.viaImport=1', '-r', required, '--conditions=case', '--enable-source-maps'];
    const { master, worker } = await seenBy(spawnScript(compiled('flags.main.js'), [], { execArgv: [...own, '--inspect=0'] }));
    expect(master.inspector).to.be.a('string');
    expect(worker).to.include({ viaImport: 1, viaRequire: 2 }).and.to.not.have.property('inspector');
    expect(worker.execArgv).to.include.members(['--conditions=case', '--enable-source-maps']);
    expect(worker.execArgv.join(' ')).to.not.include('--inspect');

    const tsx = await seenBy(spawnScript(fixture('flags.main.ts'), [], { cwd: ROOT, execArgv: ['--import', 'tsx'] }));
    expect(tsx.worker.execArgv.join(' ')).to.include('--import tsx');
  });

  it('55. `autoLoad: false` workers have no process, and their module is loaded in none, before they are started', async () => {
    const loads = join((await Scene.open({ where: 'inline' })).folder, 'loads');
    writeFileSync(loads, '');
    const scene = await Scene.open({ autoLoad: false, env: { CASE_LOADS: loads } });
    expect(scene.workers.status()).to.deep.equal([]);
    expect(await failure(scene.client.echo(1))).to.include({ code: 'ERR_PACKET_WORKER_NOT_FOUND' });
    expect(readFileSync(loads, 'utf8')).to.equal('');
    await scene.workers.start(scene.worker);
    expect(readFileSync(loads, 'utf8')).to.equal(`${scene.pids[0]}\n`);
  });

  it('56. a worker’s TypeScript meets a Node without a loader, or its type stripping → our clear message with the remedy, not a raw parser error', async () => {
    class Typed {
      nothing(): void {}
    }
    Task()(Typed.prototype, 'nothing', Object.getOwnPropertyDescriptor(Typed.prototype, 'nothing') as TypedPropertyDescriptor<() => void>);
    // Decorators and parameter properties: what no Node removes.
    Worker('flags_worker', { source: fixture('flags.main.ts'), restart: { maxFailedStarts: 1 } })(Typed);
    const error = await failure<WorkerUnavailableError>(spawn(Typed, { logger: false }));
    const cause = error.cause as ConfigurationError;
    expect(cause).to.be.instanceOf(ConfigurationError);
    expect(cause.message).to.match(
      /worker "flags_worker": .*flags\.main\.ts is TypeScript that its process cannot run\. .*compile it with tsc/,
    );
    expect(cause.message).to.include('--import tsx');
    expect(cause.cause, 'what Node said').to.be.instanceOf(Error);
  });

  it('57. DI in the worker works without emitDecoratorMetadata (explicit tokens), or fails with a message that names the class and tsx, esbuild', async () => {
    const { worker } = await seenBy(spawnScript(fixture('flags.main.ts'), [], { cwd: ROOT, execArgv: ['--import', 'tsx'] }));
    expect(worker, 'its Master is injected by token').to.have.property('execArgv');
    const blind = spawnScript(fixture('blind.main.ts'), [], { cwd: ROOT, execArgv: ['--import', 'tsx'] });
    expect((await blind.exit({ within: '20s' })).code)
      .to.be.a('number')
      .above(0);
    expect(blind.stderr.text).to.match(/BlindWorker.*parameter.*@inject\(Token\) \(tsx, esbuild and Vite emit no metadata\)/s);
    const seeing = spawnScript(compiled('blind.main.js'));
    expect(await seeing.line()).to.equal('injected');
  });

  it('58. module is loaded once per worker', async () => {
    const loads = join((await Scene.open({ where: 'inline' })).folder, 'loads');
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2, env: { CASE_LOADS: loads } });
    await Promise.all(Array.from({ length: 40 }, (_, i) => scene.note(i)));
    const loaded = readFileSync(loads, 'utf8').trim().split('\n').map(Number);
    expect(loaded).to.have.length(2).and.to.have.members(scene.pids);
  });
});
