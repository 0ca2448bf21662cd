import { expect } from 'chai';
import { pathToFileURL } from 'node:url';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, HostExit, HostProcess, HostSettings } from '../../../src/hosts/host.js';
import { processHost } from '../../../src/hosts/process.js';
import { Kind, type BootMessage } from '../../../src/wire/link/protocol.js';
import { atEnd } from '../../kit/cleanup.js';
import { LinkEnd } from '../../kit/workers/link-end.js';
import { hostSpec } from '../../kit/workers/probe.js';
import { bootMessage } from '../../kit/workers/worker-fixture.js';

const entry = new URL('../../kit/children/fixture-worker.js', import.meta.url);
const RUN = 1;

interface Started {
  readonly master: LinkEnd;
  readonly process: HostProcess;
  readonly exit: Promise<HostExit>;
  readonly output: string[];
}

function start(boot: Partial<BootMessage> = {}, settings: Partial<HostSettings> = {}, host: Host = processHost({ entry })): Started {
  const output: string[] = [];
  const process = host.start(hostSpec(settings, (line, stream) => void output.push(`${stream} ${line}`)));
  const exit = new Promise<HostExit>(resolve => process.onExit(resolve));
  const master = new LinkEnd(process.stream);
  atEnd(async () => {
    process.kill('SIGKILL');
    await exit;
    master.link.destroy();
    await host.close();
  });
  master.boot(bootMessage(boot));
  return { master, process, exit, output };
}

async function working(...args: Parameters<typeof start>): Promise<Started> {
  const started = start(...args);
  await started.master.kind('READY');
  return started;
}

describe('a worker process', () => {
  it('serves calls until it is told to stop, then exits with 0', async () => {
    const { master, exit, process: child } = await working();
    expect(master.heard[0]).to.deep.include({ kind: 'HELLO' });
    expect((master.heard[0]!.value as { pid: number }).pid).to.equal(child.pid);
    expect((await master.ask(0, new Map([['a', 1n]]))).value).to.deep.equal(new Map([['a', 1n]]));
    master.link.send(Kind.STOP, 0, 0);
    await master.over;
    expect(await exit).to.include({ exitCode: 0, signal: null });
  });

  it('ends when its link ends, whatever it still has open', async () => {
    const { master, exit } = await working();
    await master.ask(RUN, `void process.mainModule, setInterval(() => {}, 1000), 1`);
    master.link.destroy();
    expect(await exit).to.include({ exitCode: 1, signal: null });
  });

  it('ignores the signals of a terminal and of a service manager', async () => {
    const { master, process: child } = await working();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) child.kill(signal);
    expect((await master.ask(0, 'still here')).value).to.equal('still here');
  });

  it('marks in its file what it has begun', async () => {
    const { master, process: child, exit } = await working();
    await master.ask(0, 1);
    expect(child.mark()).to.equal(1);
    const id = master.call(RUN, 'process.abort()');
    expect((await exit).signal).to.equal('SIGABRT');
    expect(child.mark()).to.equal(id);
  });

  it('says why its module cannot be imported, with the place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'broken.mjs');
    writeFileSync(file, `\nthrow new RangeError('no port in the configuration')`);
    const { master, exit } = start({ source: pathToFileURL(file).href });
    const { id, value } = await master.kind('FAILURE');
    expect(id).to.equal(0);
    expect(value).to.be.instanceOf(RangeError).with.property('message', 'no port in the configuration');
    expect((value as Error).stack).to.include(`${file}:2`);
    expect((await exit).exitCode).to.equal(1);
  });

  it('says what to do when its module declares no such worker', async () => {
    const { master, exit } = start({ source: 'node:path', name: 'eval_worker' });
    const { value } = await master.kind('FAILURE');
    expect(value).to.have.property('name', 'ConfigurationError');
    expect((value as Error).message)
      .to.include(`no class with @Worker('eval_worker')`)
      .and.to.include('source: import.meta.url');
    await exit;
  });

  it('lets out the answers of finished tasks when a later one exits', async () => {
    const { master, exit } = await working();
    const ids = [master.call(0, 'first'), master.call(0, 'second'), master.call(RUN, 'process.exit(3)')];
    expect((await exit).exitCode).to.equal(3);
    await master.over;
    expect(master.heard.filter(({ kind }) => kind === 'REPLY').map(({ id, value }) => [id, value])).to.deep.equal([
      [ids[0], 'first'],
      [ids[1], 'second'],
    ]);
  });

  it('is not confused by what user code prints, overwrites or sends', async () => {
    const { master, output } = await working();
    await master.ask(RUN, `process.stdout.write('\\0\\0\\0\\u0005garbage\\n')`);
    await master.ask(RUN, `(process.send?.({ kind: 6 }), globalThis.process = {}, 1)`);
    expect((await master.ask(0, 'sane')).value).to.equal('sane');
    expect(output).to.deep.equal(['stdout \0\0\0\u0005garbage']);
  });

  for (const [what, code] of [
    ['an exception thrown in a timer or an event', `void setImmediate(() => { throw new Error('stray thing') })`],
    ['a rejection that nobody awaited', `void Promise.reject(new Error('stray thing'))`],
  ] as const) {
    it(`tells of ${what}, and ends, for its state is unknown`, async () => {
      const { master, exit } = await working();
      master.call(RUN, code);
      expect((await master.kind('STRAY')).value).to.have.property('message', 'stray thing');
      const { exitCode, stderr } = await exit;
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('Error: stray thing');
    });
  }

  it('lives on after an exception that the application handles itself', async () => {
    const { master } = await working();
    await master.ask(RUN, `void process.on('uncaughtException', () => {})`);
    master.call(RUN, `void setImmediate(() => { throw new Error('handled') })`);
    await master.kind('STRAY');
    expect((await master.ask(0, 1)).value).to.equal(1);
  });

  it('blocks while the master does not read what it prints, and loses nothing of it', async () => {
    const { master, exit, output } = await working();
    await master.ask(RUN, `(() => { for (let i = 0; i < 2000; i++) process.stdout.write('x'.repeat(200) + i + '\\n') })()`);
    master.link.send(Kind.STOP, 0, 0);
    await exit;
    while (output.length < 2000) await new Promise(setImmediate);
    expect(output.at(-1)).to.match(/x1999$/);
  });

  it('runs in the folder and under the title that it was given, and its environment has none of our words', async () => {
    const { master } = await working(
      { key: 'gold' },
      { cwd: '/usr', execArgv: [], env: {} },
      processHost({ entry, execArgv: ['--import', 'node:path'] }),
    );
    const { value } = await master.ask(
      RUN,
      `[process.cwd(), process.title, Object.keys(process.env).filter(name => name.startsWith('PACKET'))]`,
    );
    expect(value).to.deep.equal(['/usr', 'packet-ts fixture[gold]', []]);
  });
});
