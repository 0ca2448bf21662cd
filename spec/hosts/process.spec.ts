import { expect } from 'chai';
import { chmodSync, copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, HostExit } from '../../src/hosts/host.js';
import { processHost } from '../../src/hosts/process.js';
import { Probe, hostSpec, probeEntry } from '../kit/workers/probe.js';

describe('the process host', function () {
  let host: Host;
  const probes: Probe[] = [];
  const probe = (...settings: ConstructorParameters<typeof Probe> extends [Host, ...infer S] ? S : never): Probe => {
    const started = new Probe(host, ...settings);
    probes.push(started);
    return started;
  };
  beforeEach(() => void (host = processHost({ entry: probeEntry })));
  afterEach(async () => {
    await Promise.all(probes.splice(0).map(each => each.kill()));
    await host.close();
  });

  describe('says how a worker ended', () => {
    it('with its exit code', async () => {
      const worker = probe();
      worker.tell('process.exit(7)');
      expect(await worker.exit).to.include({ exitCode: 7, signal: null, memory: false });
    });

    it('with the signal that killed it, once, also to who asks later', async () => {
      const worker = probe();
      await worker.run('1');
      worker.process.kill('SIGKILL');
      expect(await worker.exit).to.include({ exitCode: null, signal: 'SIGKILL', memory: false });
      let again: HostExit | undefined;
      worker.process.onExit(exit => (again = exit));
      expect(again).to.equal(await worker.exit);
    });

    it('with the last lines of stderr', async () => {
      const worker = probe();
      worker.tell(`for (let i = 1; i <= 100; i++) console.error('line ' + i); process.exit(1)`);
      const { stderr } = await worker.exit;
      expect(stderr.split('\n')).to.have.length(20);
      expect(stderr).to.match(/line 100$/);
    });

    it('with its abort, which is not memory', async () => {
      const worker = probe();
      worker.tell('process.abort()');
      const { signal, memory, stderr } = await worker.exit;
      expect({ signal, memory }).to.deep.equal({ signal: 'SIGABRT', memory: false });
      // Where it came from, and nothing of V8's own inside.
      expect(stderr).to.include('JavaScript stack trace').and.not.to.include('Native stack trace');
    });

    it('with memory, when its heap limit was reached', async () => {
      const worker = probe({ resourceLimits: { maxOldGenerationSizeMb: 24 } });
      worker.tell(`const all = []; for (;;) all.push(new Array(1000).fill({}))`);
      const exit = await worker.exit;
      expect(exit.memory).to.equal(true);
      expect(exit.signal).to.equal('SIGABRT');
      expect(exit.stderr).to.match(/heap out of memory$/);
    });

    it('after the end of stderr or a second, when a grandchild keeps it open', async () => {
      const worker = probe();
      const pid = (await worker.run(
        `(() => { const child = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit', detached: true }); return child.pid; })()`,
      )) as number;
      worker.tell('process.exit(3)');
      expect((await worker.exit).exitCode).to.equal(3);
      process.kill(pid, 'SIGKILL');
    });

    it('when it could not be launched', async () => {
      const process = host.start(hostSpec({ cwd: '/does/not/exist' }));
      const exit = await new Promise<HostExit>(resolve => process.onExit(resolve));
      expect(process.pid).to.equal(0);
      expect(exit.error?.message).to.equal('cwd: /does/not/exist is no folder');
      expect(process.stream.destroyed).to.equal(true);
      process.kill('SIGKILL');
    });
  });

  it('carries bytes both ways over a link of its own, whatever is printed', async () => {
    const worker = probe();
    expect(await worker.run(`console.log('{"value":1}'), process.stdout.write('\\0garbage'), 'ä'.repeat(100000).length`)).to.equal(100_000);
    expect(await worker.line(line => line.includes('value'))).to.equal('stdout {"value":1}');
  });

  it('reads the mark that the worker wrote, also after its death', async () => {
    const worker = probe();
    expect(worker.process.mark()).to.equal(0);
    await worker.run(`require('fs').writeSync(4, Buffer.from([1, 2, 0, 0]), 0, 4, 0)`);
    expect(worker.process.mark()).to.equal(513);
    await worker.kill();
    expect(worker.process.mark()).to.equal(513);
  });

  describe('gives the worker’s output out', () => {
    it('line by line with its stream, cut at 16 KB, an unfinished one at the end', async () => {
      const worker = probe();
      worker.tell(`process.stdout.write('ä\\r\\n\\n' + 'x'.repeat(20000) + 'y\\nz'); process.stderr.write('e\\n'); process.exit()`);
      await worker.exit;
      await worker.line(line => line === 'stdout z');
      expect(worker.lines.filter(line => line.startsWith('stdout'))).to.deep.equal([
        'stdout ä',
        'stdout ',
        `stdout ${'x'.repeat(16 * 1024)}`,
        'stdout z',
      ]);
      expect(worker.lines).to.include('stderr e');
    });

    it('without being flooded: the worker waits in its write, the master’s loop goes on', async () => {
      const worker = probe();
      await worker.run('1');
      const began = performance.now();
      worker.tell(`const text = 'x\\n'.repeat(32768); for (;;) require('fs').writeSync(1, text)`);
      let most = 0;
      for (let before = 0; worker.lines.length < 5_000; before = worker.lines.length) {
        await new Promise(setImmediate);
        most = Math.max(most, worker.lines.length - before);
      }
      // A hundred lines every 5 ms, and not as many as a pipe can carry.
      expect(performance.now() - began).to.be.greaterThan(200);
      expect(most).to.be.at.most(200);
    });
  });

  describe('sets the process up', () => {
    it('with the parent’s environment unless one is named, which then replaces it', async () => {
      process.env['PACKET_TEST'] = 'parent';
      const [plain, named] = [probe(), probe({ env: { ONLY: 'this', LANG: undefined } })];
      expect(await plain.run('process.env.PACKET_TEST')).to.equal('parent');
      delete process.env['PACKET_TEST'];
      const env = (await named.run('process.env')) as Record<string, string>;
      expect(env['ONLY']).to.equal('this');
      expect(env['PATH']).to.equal(process.env['PATH']);
      // The last one is for the entry of a worker, which takes it out.
      const others = Object.keys(env).filter(name => !['PATH', 'HOME', 'TZ', 'NODE_ENV'].includes(name));
      expect(others).to.deep.equal(['ONLY', 'PACKET_TS_WORKER']);
    });

    it('with the parent’s loaders, from flags and NODE_OPTIONS, found from the parent’s folder', async () => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packet-ts-spec-')));
      try {
        writeFileSync(join(folder, 'one.mjs'), 'globalThis.one = 1');
        writeFileSync(join(folder, 'two.cjs'), 'globalThis.two = 2');
        await host.close();
        host = processHost({
          entry: probeEntry,
          execArgv: ['--import', join(folder, 'one.mjs'), '--inspect=0'],
          env: { NODE_OPTIONS: `-r ${join(folder, 'two.cjs')} --inspect=0` },
        });
        const [plain, named] = [probe(), probe({ env: {} })];
        expect(await plain.run('[one, two, process.env.NODE_OPTIONS]')).to.deep.equal([1, 2, `-r ${join(folder, 'two.cjs')}`]);
        expect(await named.run('[one, two, process.env.NODE_OPTIONS ?? null]')).to.deep.equal([1, 2, null]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('with execArgv, argv and cwd', async () => {
      const worker = probe({ execArgv: ['--expose-gc'], argv: ['a', 'b c'], cwd: '/usr' });
      expect(await worker.run('[typeof gc, process.argv.slice(2), process.cwd()]')).to.deep.equal(['function', ['a', 'b c'], '/usr']);
    });

    it('with permissions that hold', async () => {
      const worker = probe({ permissions: { read: ['/etc/hostname'] } });
      expect(await worker.run(`require('fs').readFileSync('/etc/hostname', 'utf8').length > 0`)).to.equal(true);
      for (const code of [
        `require('fs').readFileSync('/etc/passwd')`,
        `require('fs').writeFileSync('/tmp/packet-ts-x', '')`,
        `require('child_process').execSync('true')`,
        `new (require('worker_threads').Worker)('1', { eval: true })`,
      ])
        expect(await worker.run(`(() => { try { ${code} } catch (error) { return error.code } })()`), code).to.equal('ERR_ACCESS_DENIED');
      expect(await worker.run(`require('fs').writeSync(4, Buffer.alloc(4), 0, 4, 0)`)).to.equal(4);
    });

    it('with permissions and no file to write to: its mark takes four bytes, and fills no disk', async () => {
      for (const permissions of [{}, { read: ['/etc'], write: [] }]) {
        const worker = probe({ permissions, env: { ONLY: 'this' } });
        expect(await worker.run(`Object.keys(process.env).filter(name => ['PWD', 'OLDPWD', 'SHLVL'].includes(name))`)).to.deep.equal([]);
        const code = `(() => { let n = 0; try { for (;;) n += require('fs').writeSync(4, Buffer.alloc(65536), 0, 65536, 4 + n) } catch (error) { return [error.code, n <= 1024] } })()`;
        expect(await worker.run(code)).to.deep.equal(['EFBIG', true]);
        expect(
          await worker.run(`(() => { try { require('fs').ftruncateSync(4, 2 ** 40) } catch (error) { return error.code } })()`),
        ).to.equal('EFBIG');
        expect(await worker.run(`require('fs').writeSync(4, Buffer.alloc(4), 0, 4, 0)`)).to.equal(4);
      }
    });

    it('with a stack that the system can hold, or not at all', async () => {
      const refused = await new Promise<HostExit>(resolve =>
        host.start(hostSpec({ resourceLimits: { stackSizeMb: 4096 } })).onExit(resolve),
      );
      expect(refused.error?.message).to.match(/stackSizeMb: 4096 does not fit/);
    });

    // Only root can try this; whoever is not root cannot run into it.
    if (process.getuid?.() === 0) {
      it('as another user, with its HOME and USER, without the master’s groups', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
        chmodSync(folder, 0o755);
        const entry = join(folder, 'probe.mjs');
        copyFileSync(probeEntry, entry);
        const other = processHost({ entry });
        const worker = new Probe(other, { uid: 65534, gid: 65534 }, `file://${entry}`);
        probes.push(worker);
        const failed = worker.exit.then(({ error, stderr }) => Promise.reject(error ?? new Error(stderr)));
        failed.catch(() => {});
        const seen = await Promise.race([
          failed,
          worker.run('[process.getuid(), process.getgid(), process.getgroups(), process.env.USER]'),
        ]);
        await worker.kill();
        await other.close();
        rmSync(folder, { recursive: true });
        expect(seen).to.deep.equal([65534, 65534, [65534], 'nobody']);
      });

      it('as another user, but not when that one may not read the code', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
        writeFileSync(join(folder, 'worker.mjs'), '');
        const other = processHost({ entry: join(folder, 'worker.mjs') });
        const closed = other.start({ ...hostSpec({ uid: 65534, gid: 65534 }), source: `file://${folder}/worker.mjs` });
        await other.close();
        const { error } = await new Promise<HostExit>(resolve => closed.onExit(resolve));
        rmSync(folder, { recursive: true });
        expect(error?.message).to.match(new RegExp(`uid 65534: it may not enter ${folder} \\(mode 700\\)`));
      });
    }

    it('not with a uid alone', async () => {
      const { error } = await new Promise<HostExit>(resolve => host.start(hostSpec({ uid: 65534 })).onExit(resolve));
      expect(error?.message).to.match(/uid and gid belong together/);
    });
  });

  it('shows from outside what a worker takes and whether it is stopped', async () => {
    const worker = probe();
    await worker.run('1');
    expect(worker.process.rss()).to.be.greaterThan(10_000_000);
    expect(worker.process.isStopped()).to.equal(false);
    worker.process.kill('SIGSTOP');
    while (!worker.process.isStopped()) await new Promise(setImmediate);
    worker.process.kill('SIGCONT');
    expect(await worker.run('2')).to.equal(2);
    expect(worker.process.isStopped()).to.equal(false);
  });
});
