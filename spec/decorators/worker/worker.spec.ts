import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { registeredWorkers, workersDeclaredIn } from '../../../src/decorators/worker/worker-registry.js';
import { Worker } from '../../../src/decorators/worker/worker.js';

const HERE = import.meta.url;
const WORKER = new URL('../../../src/decorators/worker/worker.js', HERE).href;
const BLUEPRINT = new URL('../../../src/blueprint/index.js', HERE).href;
const run = promisify(execFile);
const SHARED = Symbol.for('packet-ts.spec.worker');

@Worker('worker spec: plain')
class Plain {}

/** A decorator composed of others, and a factory: the decorator is evaluated elsewhere than it is called. */
function composed(name: string): (cls: Ctor) => void {
  return cls => Worker(name)(cls);
}
@composed('worker spec: composed')
class Composed {}

const original = Error.prepareStackTrace;
function shout(error: Error): string {
  return `custom: ${error.message}`;
}

describe('@Worker', () => {
  const source = (name: string) => registeredWorkers(name)[0]?.source;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'packet-ts-'));
    (globalThis as Record<symbol, unknown>)[SHARED] = Worker;
  });
  after(async () => {
    delete (globalThis as Record<symbol, unknown>)[SHARED];
    await rm(folder, { recursive: true });
  });

  it('registers the class by its name, so that it needs no export', () => {
    expect(registeredWorkers('worker spec: plain')).to.deep.equal([{ cls: Plain, source: { url: HERE, sure: true } }]);
    expect(registeredWorkers('worker spec: nobody')).to.deep.equal([]);
  });

  it('is sure of the module that is being evaluated, also through other decorators', () => {
    expect(registeredWorkers('worker spec: composed')).to.deep.equal([{ cls: Composed, source: { url: HERE, sure: true } }]);
    expect(workersDeclaredIn(HERE)).to.include.members([Plain, Composed]);
  });

  it('guesses the nearest file where no module is being evaluated', () => {
    Worker('worker spec: late')(class {});
    expect(source('worker spec: late')).to.deep.equal({ url: HERE, sure: false });
  });

  it('believes `source`, as a url or as a path', () => {
    Worker('worker spec: url', { source: 'file:///there.js' })(class {});
    Worker('worker spec: path', { source: '/there/too.cjs' })(class {});
    expect(source('worker spec: url')).to.deep.equal({ url: 'file:///there.js', sure: true });
    expect(source('worker spec: path')).to.deep.equal({ url: 'file:///there/too.cjs', sure: true });
  });

  it('finds an ES module that calls a helper of another module', async () => {
    const helper = join(folder, 'helper.mjs');
    const made = join(folder, 'made.mjs');
    await writeFile(helper, `export const make = name => globalThis[Symbol.for('packet-ts.spec.worker')](name)(class {});`);
    await writeFile(made, `import { make } from './helper.mjs'; make('worker spec: made');`);
    await import(pathToFileURL(made).href);
    expect(source('worker spec: made')).to.deep.equal({ url: pathToFileURL(made).href, sure: true });
  });

  it('finds a CommonJS module, and names it by its url', async () => {
    const path = join(folder, 'common.cjs');
    await writeFile(path, `globalThis[Symbol.for('packet-ts.spec.worker')]('worker spec: common')(class {});`);
    createRequire(HERE)(path);
    expect(source('worker spec: common')).to.deep.equal({ url: pathToFileURL(path).href, sure: true });
  });

  it('knows no module of code that lies in no file, and the blueprint says so', async () => {
    const decorate = `import(${JSON.stringify(WORKER)}).then(({ Worker }) => { class Typed {} Worker('typed')(Typed); return import(${JSON.stringify(BLUEPRINT)}).then(b => console.log(b.readWorker(Typed).mistakes[0].wrong)); })`;
    const { stdout } = await run(process.execPath, ['--eval', decorate]);
    expect(stdout.trim()).to.equal('its module is not known, so no other process or thread can import it');
  });

  it('does not depend on how stack traces are limited or formatted, and leaves both as they were', () => {
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = 0;
      Error.prepareStackTrace = shout;
      Worker('worker spec: limited')(class {});
      expect(Error.stackTraceLimit).to.equal(0);
      expect(Error.prepareStackTrace).to.equal(shout);
    } finally {
      Error.stackTraceLimit = limit;
      if (original) Error.prepareStackTrace = original;
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    }
    expect(source('worker spec: limited')?.url).to.equal(HERE);
  });

  it('keeps every class that took the same name, for the blueprint to tell', () => {
    Worker('worker spec: twins')(class {});
    Worker('worker spec: twins')(class {});
    expect(registeredWorkers('worker spec: twins')).to.have.lengthOf(2);
  });
});
