import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnData, OnEnd, OnExit } from '../../../src/decorators/connection/connection-hooks.js';
import type { ExecOptions } from '../../../src/decorators/connection/endpoint-types.js';
import { exec } from '../../../src/decorators/connection/exec.js';
import type { CloseReason, ExitStatus } from '../../../src/decorators/hook-types.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { schemeNamed, type ExecTarget } from '../../../src/endpoints/endpoint.js';
import { echoConformance } from '../../kit/conformance/echo-conformance.js';
import { Events } from '../../kit/events.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { spawnScript } from '../../kit/programs/spawn-script.js';
import { deferred, Journal } from '../../kit/signals.js';
import { waitFor } from '../../kit/wait-for.js';

@Connection({ framing: lines() })
class Command {
  readonly heard = new Journal();
  status: ExitStatus | undefined;
  reason: CloseReason | undefined;
  constructor(readonly peer: Peer<string, string>) {}
  @OnData() data(line: string) {
    this.heard.note(line);
  }
  @OnExit() exit(status: ExitStatus) {
    this.status = status;
    this.heard.note('exit');
  }
  @OnClose() close(reason: CloseReason) {
    this.reason = reason;
    this.heard.note('close');
  }
}

/** True while a process has not ended. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

echoConformance('exec', () =>
  schemeNamed('exec')!.connect!({ url: 'exec:cat', exec: exec('cat') as unknown as ExecTarget, options: {} }, new AbortController().signal),
);

describe('exec()', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());
  const run = (command: string, args: readonly string[], options?: ExecOptions): Promise<Command> =>
    kit.reactor.connect(Command, exec(command, args, options));
  const shell = (script: string, options?: ExecOptions): Promise<Command> => run('sh', ['-c', script], options);

  it('is a connection to a command: its stdin is written, its stdout read', async () => {
    const command = await run('cat', []);
    command.peer.send('there and back');
    await command.heard.has('there and back');
    expect(command.peer.remote.url).to.equal('exec:cat');
    expect(lives(command.peer.remote.pid!)).to.equal(true);
  });

  it('end() ends its stdin, and what it says to that is not waited for; its status comes before @OnClose', async () => {
    const command = await run('cat', []);
    command.peer.end('bye');
    await command.heard.has('close');
    expect(command.heard.entries).to.deep.equal(['exit', 'close']);
    expect(command.status).to.deep.equal({ code: 0, signal: null });
    expect(command.reason).to.deep.equal({ by: 'local', code: 'END' });
  });

  it('a command that ends closes it, after everything that it said', async () => {
    const command = await shell('echo one; echo two; printf three; exit 3');
    await command.heard.has('close');
    expect(command.heard.entries).to.deep.equal(['one', 'two', 'three', 'exit', 'close']);
    expect(command.status).to.deep.equal({ code: 3, signal: null });
    expect(command.reason).to.deep.equal({ by: 'peer', code: 'END' });
  });

  it('destroy() ends it and what it has started, with SIGTERM', async () => {
    const command = await shell('sleep 100 & echo $!; wait');
    await waitFor(() => command.heard.entries.length === 1);
    const child = Number(command.heard.entries[0]);
    expect(lives(child)).to.equal(true);
    command.peer.destroy();
    await command.heard.has('close');
    expect(command.status).to.deep.equal({ code: null, signal: 'SIGTERM' });
    await waitFor(() => !lives(child));
  });

  it('one that ignores SIGTERM is killed', async () => {
    const command = await shell("trap '' TERM; echo ready; while :; do sleep 0.1; done");
    await command.heard.has('ready');
    command.peer.destroy();
    await command.heard.has('close');
    expect(command.status).to.deep.equal({ code: null, signal: 'SIGKILL' });
    expect(lives(command.peer.remote.pid!)).to.equal(false);
  });

  it('what a command leaves behind when it exits is heard while it speaks, and ended when it is silent', async () => {
    const command = await shell('(sleep 0.3; echo later; sleep 100) & echo $!; exit 5');
    await command.heard.has('close');
    const [pid, ...rest] = command.heard.entries;
    expect(rest).to.deep.equal(['later', 'exit', 'close']);
    expect(command.status).to.deep.equal({ code: 5, signal: null });
    expect(command.reason).to.deep.equal({ by: 'peer', code: 'END' });
    await waitFor(() => !lives(Number(pid)));
  });

  it('what is not read yet when the command has exited is not lost, however long that takes', async () => {
    const command = await shell('yes | head -n 20000');
    command.peer.pause();
    await waitFor(() => !lives(command.peer.remote.pid!));
    command.peer.resume();
    await command.heard.has('close');
    expect(command.heard.entries).to.have.length(20_002);
  });

  it('stderr is logged line by line; or merged; or ignored', async () => {
    using output = new Events('connection.output');
    const script = 'echo problem >&2; echo fine';
    const said: string[][] = [];
    for (const stderr of [undefined, 'merge', 'ignore'] as const) {
      const command = await shell(script, { stderr });
      await command.heard.has('close');
      said.push(command.heard.entries.slice(0, -2).toSorted());
    }
    expect(said).to.deep.equal([['fine'], ['fine', 'problem'], ['fine']]);
    expect(output.seen).to.have.length(1);
    expect(output.seen[0]).to.include({ url: 'exec:sh', line: 'problem' });
  });

  it('runs it in the folder and with the environment that it is told', async () => {
    const command = await shell('pwd; echo $WORD', { cwd: '/', env: { PATH: process.env['PATH'], WORD: 'hello' } });
    await command.heard.has('close');
    expect(command.heard.entries.slice(0, 2)).to.deep.equal(['/', 'hello']);
  });

  it('halfClose() is the end of its stdin: what it says to that is handled, then its status, then the close', async () => {
    const command = await run('sort', []);
    for (const word of ['pear', 'apple', 'fig']) command.peer.send(word);
    command.peer.halfClose();
    expect(command.peer.send('late')).to.equal(false);
    await command.heard.has('close');
    expect(command.heard.entries).to.deep.equal(['apple', 'fig', 'pear', 'exit', 'close']);
    expect(command.reason).to.deep.equal({ by: 'peer', code: 'END' });
  });

  it('with allowHalfOpen, @OnEnd is told when it has said everything; when it has exited there is nothing to wait for', async () => {
    @Connection({ framing: lines(), allowHalfOpen: true })
    class Open extends Command {
      @OnEnd() end() {
        this.heard.note('end');
      }
    }
    const stays = await kit.reactor.connect(
      Open,
      exec('sh', ['-c', 'echo said; exec >&-; read line; echo $line >&2; exit 4'], { stderr: 'log' }),
    );
    await stays.heard.has('end');
    using output = new Events('connection.output');
    stays.peer.send('heard all the same');
    await stays.heard.has('close');
    expect(stays.heard.entries).to.deep.equal(['said', 'end', 'exit', 'close']);
    expect(stays.status).to.deep.equal({ code: 4, signal: null });
    expect(stays.reason).to.deep.equal({ by: 'peer', code: 'END' });
    expect(output.seen[0]).to.include({ line: 'heard all the same' });
  });

  it('one that closes its stdout and runs on is ended after halfCloseGrace', async () => {
    const command = await kit.reactor.connect(Command, exec('sh', ['-c', 'echo said; exec >&- <&-; exec sleep 100']), {
      halfCloseGrace: '100ms',
    });
    await command.heard.has('close');
    expect(command.heard.entries).to.deep.equal(['said', 'exit', 'close']);
    expect(command.status).to.deep.equal({ code: null, signal: 'SIGTERM' });
    expect(command.reason).to.deep.equal({ by: 'peer', code: 'END' });
  });

  it('a pipe to one that has exited is rejected', async () => {
    const source = await run('yes', []);
    const target = await kit.reactor.connect(Command, exec('head', ['-n', '2']), { allowHalfOpen: true });
    const error = await source.peer.pipe(target.peer).catch((thrown: Error) => thrown);
    expect(error).to.have.property('name', 'ConnectionClosedError');
    await target.heard.has('close');
    source.peer.destroy();
    await source.heard.has('close');
    expect(target.heard.entries.slice(0, 2)).to.deep.equal(['y', 'y']);
  });

  it('a process that leaves in a hurry takes its commands along', async () => {
    const script = spawnScript(new URL('../../fixtures/misbehaviour/exec-in-a-hurry.js', import.meta.url));
    const pid = Number(await script.line(/^\d+$/));
    expect(await script.exit()).to.deep.equal({ code: 7, signal: null });
    await waitFor(() => !lives(pid));
  });

  it('a command that does not exist makes no instance', async () => {
    const error = await run('no-such-command-at-all', []).catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'ConnectError', reason: 'refused' });
    expect(kit.made).to.have.length(0);
  });

  it('a command that reads nothing more does not end it', async () => {
    const command = await shell('exec 0<&-; echo deaf; sleep 0.2; echo done');
    await command.heard.has('deaf');
    for (let i = 0; i < 100; i++) command.peer.send('x'.repeat(1000));
    await command.heard.has('done');
  });

  it('loses nothing of what is said faster than it is handled', async () => {
    @Connection({ framing: lines() })
    class Counter {
      count = 0;
      readonly counted = deferred<number>();
      @OnData() data() {
        this.count++;
      }
      @OnExit() exit() {
        this.counted.resolve(this.count);
      }
    }
    const counter = await kit.reactor.connect(Counter, exec('sh', ['-c', 'yes | head -c 2000000']));
    expect(await counter.counted.promise).to.equal(1_000_000);
  });

  it('follows a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    try {
      const path = join(folder, 'log');
      writeFileSync(path, 'first\n');
      const tail = await run('tail', ['-n', '+1', '-f', path]);
      await tail.heard.has('first');
      writeFileSync(path, 'second\n', { flag: 'a' });
      await tail.heard.has('second');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
