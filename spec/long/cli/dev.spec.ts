import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../scripts/structure/read-sources.js';
import { atEnd, needsProgram, spawnProgram, tcpClient, waitFor } from '../../kit/index.js';
import { packetTs, portOf } from '../../cli/kit.js';

const WORKER = `
import { Task, Worker } from 'packet-ts';
import { z } from 'zod';
export class Greeter { greet() { return 'hello 0'; } }
Task({ output: z.string() })(Greeter.prototype, 'greet', Object.getOwnPropertyDescriptor(Greeter.prototype, 'greet'));
Worker('greeter', { timeout: '30s' })(Greeter);
`;
const MODULE = `
import { Connection, InjectWorker, Module, OnData } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Greeter } from './greeter.worker.js';
class Line { constructor(greeter) { this.greeter = greeter; } async say() { return (await this.greeter.greet()) + ' from module 0'; } }
InjectWorker(Greeter)(Line, undefined, 0);
OnData()(Line.prototype, 'say', Object.getOwnPropertyDescriptor(Line.prototype, 'say'));
Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })(Line);
export class App {}
Module({ connections: [Line], workers: [Greeter] })(App);
`;

/** An application in a folder of its own, whose files are edited. */
function project(): {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  edit(name: string, from: string, to: string): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'packet-dev-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  mkdirSync(join(folder, 'src'));
  symlinkSync(ROOT, join(folder, 'node_modules/packet-ts'));
  symlinkSync(join(ROOT, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'src/greeter.worker.js'), WORKER);
  writeFileSync(join(folder, 'src/app.module.js'), MODULE);
  const edit = (name: string, from: string, to: string): void => {
    const file = join(folder, 'src', name);
    const text = readFileSync(file, 'utf8');
    expect(text).to.include(from);
    writeFileSync(file, text.replace(from, to));
  };
  return { file: join(folder, 'src/app.module.js'), env: { XDG_RUNTIME_DIR: folder }, edit };
}

/** For whoever wants more of them: PACKET_EDITS=50. */
const EDITS = Number(process.env['PACKET_EDITS'] ?? 10);

describe('packet-ts dev', function () {
  this.timeout(120_000);

  it('restarts a changed worker while connections stay open and no call is lost', async () => {
    const { file, env, edit } = project();
    const script = packetTs(['dev', file], { env });
    const client = await tcpClient(await portOf(script));
    const ask = async (): Promise<string> => {
      await client.send('?\n');
      return client.line({ within: '20s' });
    };
    expect(await ask()).to.equal('hello 0 from module 0');
    for (let edition = 1; edition <= 4; edition++) {
      edit('greeter.worker.js', `hello ${edition - 1}`, `hello ${edition}`);
      const restarted = script.errorLine(/restarted greeter/, { within: '30s' });
      const seen = new Set<string>();
      let isDone = false;
      void restarted.then(() => (isDone = true));
      // One connection, question after question: each is answered, by the old process or by the new one.
      do seen.add(await ask());
      while (!isDone);
      await restarted;
      expect([...seen].filter(answer => !/^hello \d from module 0$/.test(answer))).to.deep.equal([]);
      expect(await ask()).to.equal(`hello ${edition} from module 0`);
    }
    script.kill('SIGTERM');
    expect(await script.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
  });

  describe('under redis-benchmark', () => {
    if (!needsProgram('redis-benchmark')) return;

    it('fails no request while a worker is edited again and again', async function () {
      this.timeout(120_000 + EDITS * 20_000);
      const { file, env, edit } = project();
      // Of the commands that it begins with it takes an error; each PING is one call.
      const answer = `if (line === 'CONFIG') return '-ERR\\r'; if (line === 'PING') return '+' + (await this.greeter.greet()) + '\\r';`;
      edit('app.module.js', `async say() { return (await this.greeter.greet()) + ' from module 0'; }`, `async say(line) { ${answer} }`);
      const script = packetTs(['dev', file], { env });
      const port = await portOf(script);
      const client = await tcpClient(port);
      const ask = async (): Promise<string> => {
        await client.send('PING\n');
        return client.line({ within: '20s' });
      };
      // A connection that is closed ends it with 1, and a failed call closes one.
      const flags = ['-p', String(port), '-t', 'ping_inline', '-c', '10', '-n', '1000', '-q'];
      let over = false;
      const load = async (): Promise<number> => {
        let runs = 0;
        for (; !over; runs++) {
          const run = spawnProgram('redis-benchmark', flags);
          const { code } = await run.exit({ within: '60s' });
          expect(code, run.stderr.text).to.equal(0);
          expect(run.stdout.text).to.match(/PING_INLINE: \d+\.\d+ requests per second/);
        }
        return runs;
      };
      const edits = async (): Promise<void> => {
        for (let edition = 1; edition <= EDITS; edition++) {
          edit('greeter.worker.js', `hello ${edition - 1}`, `hello ${edition}`);
          await waitFor(async () => (await ask()).trim() === `+hello ${edition}`, { within: '20s', what: `edition ${edition}` });
        }
      };
      const [runs] = await Promise.all([load(), edits().finally(() => (over = true))]);
      expect(runs).to.be.greaterThan(1);
      await client.destroy();
      script.kill('SIGTERM');
      expect(await script.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
      expect(script.stderr.text).not.to.match(/"level":[456]0/);
    });
  });

  it('reloads the application for any other change and keeps its port, and waits where it cannot start', async () => {
    const { file, env, edit } = project();
    const script = packetTs(['dev', file], { env });
    const port = await portOf(script);
    const ask = async (): Promise<string> => {
      const client = await tcpClient(port);
      await client.send('?\n');
      const line = await client.line({ within: '20s' });
      await client.destroy();
      return line;
    };
    expect(await ask()).to.equal('hello 0 from module 0');
    edit('app.module.js', 'module 0', 'module 1');
    await script.errorLine(/has taken over from/, { within: '30s' });
    expect(await ask()).to.equal('hello 0 from module 1');
    edit('app.module.js', 'export class App', 'export clas App');
    await script.errorLine(/the old one goes on/, { within: '30s' });
    expect(await ask()).to.equal('hello 0 from module 1');
    edit('app.module.js', 'export clas App', 'export class App');
    await script.errorLine(/has taken over from/, { within: '30s' });
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('starts an application that could not start once its mistake is mended', async () => {
    const { file, env, edit } = project();
    edit('app.module.js', 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:99999');
    const script = packetTs(['dev', file], { env });
    await script.errorLine(/it starts again with the next change/, { within: '30s' });
    edit('app.module.js', 'tcp://127.0.0.1:99999', 'tcp://127.0.0.1:0');
    const client = await tcpClient(await portOf(script));
    await client.send('?\n');
    expect(await client.line({ within: '20s' })).to.equal('hello 0 from module 0');
    script.kill('SIGINT');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });

  it('ends at a signal while it waits for a change, and starts nothing more', async () => {
    const { file, env, edit } = project();
    edit('app.module.js', 'export class App', `console.error('imported'); throw new Error('not yet'); export class App`);
    const script = packetTs(['dev', file], { env });
    await script.errorLine(/it starts again with the next change/, { within: '30s' });
    script.kill('SIGINT');
    expect((await script.exit({ within: '20s' })).code).to.equal(1);
    expect(script.stderr.text.match(/^imported$/gm)).to.have.length(1);
  });

  it('follows a build that removes its folder and makes it anew', async () => {
    const { file, env } = project();
    const folder = dirname(file);
    const kept = `${folder}.kept`;
    cpSync(folder, kept, { recursive: true });
    const script = packetTs(['dev', file], { env });
    const port = await portOf(script);
    for (const edition of [1, 2]) {
      rmSync(folder, { recursive: true });
      cpSync(kept, folder, { recursive: true });
      writeFileSync(file, MODULE.replace('module 0', `module ${edition}`));
      await waitFor(
        async () => {
          const client = await tcpClient(port);
          await client.send('?\n');
          const line = await client.line({ within: '20s' });
          await client.destroy();
          return line === `hello 0 from module ${edition}`;
        },
        { within: '30s', what: `edition ${edition}` },
      );
    }
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });
});
