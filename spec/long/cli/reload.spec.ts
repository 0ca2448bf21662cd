import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atEnd, needsProgram, processesOf, spawnProgram, waitFor, webClient, type Script, type WebClient } from '../../kit/index.js';
import { fixture, outcomeOf, packetTs } from '../../cli/kit.js';

/** A run of its own: `packet-ts reload` finds no other one. */
function place(): { readonly env: Readonly<Record<string, string>>; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'packet-run-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, env: { XDG_RUNTIME_DIR: folder } };
}

async function portOf(script: Script, handler: string): Promise<number> {
  const line = await script.errorLine(new RegExp(`"handler":"${handler}".*"port":\\d+`), { within: '20s' });
  return Number(/"port":(\d+)/.exec(line)![1]);
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text();
}

async function askUnix(path: string): Promise<string> {
  const socket: Socket = connect(path);
  socket.end('who\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text.trim();
}

/** For whoever wants more of them: PACKET_RELOADS=20. */
const RELOADS = Number(process.env['PACKET_RELOADS'] ?? 4);
const SOCKETS = 100;

describe('packet-ts reload', function () {
  this.timeout(120_000 + RELOADS * 20_000);

  describe('under load', () => {
    if (!needsProgram('wrk')) return;

    it('refuses and fails nothing: keep-alive HTTP goes on, and websockets of the old process end with 1012', async () => {
      const { env } = place();
      const script = packetTs(['run', fixture('web.module.js')], { env });
      const port = await portOf(script, 'Page');
      const url = `http://127.0.0.1:${port}`;
      const load = spawnProgram('wrk', ['-t1', '-c16', '-d1h', '--timeout', '10s', `${url}/`]);
      const calls = spawnProgram('wrk', ['-t1', '-c4', '-d1h', '--timeout', '10s', `${url}/worker`]);
      const pids = new Set<string>();
      for (let round = 0; round < RELOADS; round++) {
        pids.add(await textOf(url));
        const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => webClient(`ws://127.0.0.1:${port}/echo`)));
        const talk = async (socket: WebClient): Promise<void> => {
          socket.send(`round ${round}`);
          expect(String(await socket.next())).to.equal(`round ${round}`);
        };
        await Promise.all(sockets.map(talk));
        const { code, out, err } = await outcomeOf(['reload'], { env });
        expect({ code, err }).to.deep.equal({ code: 0, err: '' });
        expect(out).to.match(/^reloaded: process \d+ has taken over\n$/);
        const ends = await Promise.all(sockets.map(socket => socket.closed));
        expect(ends.map(end => end.code)).to.deep.equal(sockets.map(() => 1012));
      }
      pids.add(await textOf(url));
      expect(pids.size).to.equal(RELOADS + 1);
      for (const program of [load, calls]) {
        // It tells what it has seen, and ends.
        program.kill('SIGINT');
        expect(await program.exit({ within: '60s' })).to.deep.equal({ code: 0, signal: null });
        expect(program.stdout.text).to.match(/\d+ requests in/);
        expect(program.stdout.text).not.to.match(/Socket errors|Non-2xx/);
      }
      script.kill('SIGTERM');
      expect(await script.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
    });

    for (const [how, handler] of [
      ['are given by the master', 'Web'],
      ['are accepted by themselves', 'SharedWeb'],
    ] as const) {
      it(`refuses and fails nothing where workers serve HTTP on sockets that ${how}`, async () => {
        const { env } = place();
        const script = packetTs(['run', fixture('edge.module.js')], { env });
        const web = await portOf(script, 'Web');
        const port = handler === 'Web' ? web : await portOf(script, handler);
        const url = `http://127.0.0.1:${port}/`;
        const load = spawnProgram('wrk', ['-t1', '-c16', '-d20s', '--timeout', '10s', url]);
        const pids = new Set<string>();
        for (let round = 0; round < 3; round++) {
          pids.add(await textOf(url));
          const sockets = await Promise.all(Array.from({ length: 5 }, () => webClient(`ws://127.0.0.1:${web}/echo`)));
          const { code, err } = await outcomeOf(['reload'], { env });
          expect({ code, err }).to.deep.equal({ code: 0, err: '' });
          const ends = await Promise.all(sockets.map(socket => socket.closed));
          expect(ends.map(end => end.code)).to.deep.equal(sockets.map(() => 1012));
        }
        pids.add(await textOf(url));
        expect(pids.size).to.be.at.least(4);
        expect(await load.exit({ within: '60s' })).to.deep.equal({ code: 0, signal: null });
        expect(load.stdout.text).to.match(/\d+ requests in/);
        expect(load.stdout.text).not.to.match(/Socket errors|Non-2xx/);
        script.kill('SIGTERM');
        expect(await script.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
      });
    }
  });

  it('keeps ports that the system picked and unix sockets with their mode, and SIGHUP does the same', async () => {
    const { env, folder } = place();
    const path = join(folder, 'app.sock');
    const script = packetTs(['run', fixture('web.module.js')], { env: { ...env, PACKET_SPEC_SOCKET: path } });
    const port = await portOf(script, 'Page');
    await script.errorLine(/"handler":"Line"/, { within: '20s' });
    const first = await askUnix(path);
    expect(first).to.equal(await textOf(`http://127.0.0.1:${port}/`));
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    script.kill('SIGHUP');
    await script.errorLine(/has taken over from/, { within: '30s' });
    await waitFor(async () => (await askUnix(path)) !== first, { within: '10s', what: 'the new process at the unix socket' });
    expect(await textOf(`http://127.0.0.1:${port}/`)).to.equal(await askUnix(path));
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
    expect(existsSync(path)).to.equal(false);
  });

  it('leaves the old process serving where the new one cannot start, and says so', async () => {
    const { env, folder } = place();
    const file = join(folder, 'app.mjs');
    writeFileSync(file, `export { WebModule } from ${JSON.stringify(fixture('web.module.js'))};`);
    const script = packetTs(['run', file], { env });
    const port = await portOf(script, 'Page');
    const before = await textOf(`http://127.0.0.1:${port}/`);
    writeFileSync(file, `throw new RangeError('a bad deployment');`);
    const { code, err } = await outcomeOf(['reload'], { env });
    expect(code).to.equal(1);
    expect(err).to.include('the old one goes on');
    expect(script.stderr.text).to.include('a bad deployment');
    expect(await textOf(`http://127.0.0.1:${port}/`)).to.equal(before);
    writeFileSync(file, `export { WebModule } from ${JSON.stringify(fixture('web.module.js'))};`);
    expect((await outcomeOf(['reload', String(script.pid)], { env })).code).to.equal(0);
    expect(await textOf(`http://127.0.0.1:${port}/`)).not.to.equal(before);
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('goes on serving where the file is away, at SIGHUP too', async () => {
    const { env, folder } = place();
    const file = join(folder, 'app.mjs');
    const text = `export { WebModule } from ${JSON.stringify(fixture('web.module.js'))};`;
    writeFileSync(file, text);
    const script = packetTs(['run', file], { env });
    const port = await portOf(script, 'Page');
    const before = await textOf(`http://127.0.0.1:${port}/`);
    rmSync(file);
    script.kill('SIGHUP');
    await script.errorLine(/reload failed: there is no file/, { within: '30s' });
    expect((await outcomeOf(['reload'], { env })).err).to.include('the old one goes on');
    expect(await textOf(`http://127.0.0.1:${port}/`)).to.equal(before);
    writeFileSync(file, text);
    expect((await outcomeOf(['reload'], { env })).code).to.equal(0);
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('asked for while one is under way is one more behind it, however often it was asked', async () => {
    const { env, folder } = place();
    const file = join(folder, 'app.mjs');
    const edition = (number: number): void =>
      writeFileSync(file, `console.error('edition ${number}'); export { WebModule } from ${JSON.stringify(fixture('web.module.js'))};`);
    edition(1);
    const script = packetTs(['run', file], { env });
    await portOf(script, 'Page');
    edition(2);
    script.kill('SIGHUP');
    await script.errorLine(/^edition 2/, { within: '30s' });
    // The second process has read its code: what is deployed now is not in it.
    edition(3);
    for (let i = 0; i < 5; i++) script.kill('SIGHUP');
    await script.errorLine(/has taken over from/, { within: '30s' });
    await script.errorLine(/has taken over from/, { within: '30s' });
    expect(script.stderr.text.match(/^edition \d/gm)).to.deep.equal(['edition 1', 'edition 2', 'edition 3']);
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('is not to be had where no socket can be made, and the application runs all the same', async () => {
    const { folder } = place();
    // A file where the folder should be: the same as a file system for reading.
    writeFileSync(join(folder, 'none'), '');
    const script = packetTs(['run', fixture('echo.module.js')], { env: { XDG_RUNTIME_DIR: join(folder, 'none') } });
    await script.errorLine(/reload and top cannot reach this command, but SIGHUP reloads: /, { within: '20s' });
    await portOf(script, 'Echo');
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('says what it cannot find: no command, another pid, several', async () => {
    const { env } = place();
    const none = await outcomeOf(['reload'], { env });
    expect(none.code).to.equal(1);
    expect(none.err).to.equal('packet-ts reload: no packet-ts run of this user is running\n');
    expect(await outcomeOf(['reload', '1'], { env })).to.deep.include({
      code: 1,
      err: 'packet-ts reload: no packet-ts run of this user has the pid 1\n',
    });
    const misused = await outcomeOf(['reload', 'x'], { env });
    expect(misused.code).to.equal(2);
    expect(misused.err).to.include(`'x' is no pid`);
    const scripts = [packetTs(['run', fixture('echo.module.js')], { env }), packetTs(['run', fixture('echo.module.js')], { env })];
    for (const script of scripts) await portOf(script, 'Echo');
    const several = await outcomeOf(['reload'], { env });
    expect(several.code).to.equal(2);
    expect(several.err).to.include('several are running: say which by its pid');
    for (const script of scripts) {
      script.kill('SIGTERM');
      await script.exit({ within: '20s' });
    }
  });

  it('ends the application gracefully when the command itself is killed', async () => {
    const { env } = place();
    const script = packetTs(['run', fixture('web.module.js')], { env });
    await portOf(script, 'Page');
    const children = (): number => processesOf(process.pid, `XDG_RUNTIME_DIR=${env['XDG_RUNTIME_DIR']}`).length;
    expect(children()).to.be.greaterThan(1);
    script.kill('SIGKILL');
    await waitFor(() => children() === 0, { within: '20s', what: 'its processes to end' });
    expect(script.stderr.text).to.include('"msg":"closing"');
  });
});
