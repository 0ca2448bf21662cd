import { expect } from 'chai';
import { once } from 'node:events';
import { Logger, spawn, WorkerTimeoutError } from 'packet-ts';
import { WebSocket } from 'ws';
import { isDebugged } from '../../../src/workers/process/debugged.js';
import { JournalWorker } from '../../fixtures/workers/journal.worker.js';
import { atEnd, waitFor } from '../../kit/index.js';

/** Keeps the lines that workers print. */
class Lines extends Logger {
  readonly text: string[] = [];
  #note(object: unknown): void {
    this.text.push(JSON.stringify(object));
  }
  override info(object: unknown): void {
    this.#note(object);
  }
  override warn(object: unknown): void {
    this.#note(object);
  }
}

/** A debugger, as far as it is needed here. */
class Debugger {
  readonly #ws: WebSocket;
  readonly #seen: string[] = [];

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', data => this.#seen.push((data as Buffer).toString()));
    atEnd(() => ws.terminate());
  }

  static async attach(url: string): Promise<Debugger> {
    const ws = new WebSocket(url);
    await once(ws, 'open');
    return new Debugger(ws);
  }

  send(method: string): void {
    this.#ws.send(JSON.stringify({ id: 1, method }));
  }

  has(event: string): Promise<unknown> {
    return waitFor(() => this.#seen.some(message => message.includes(event)), { within: '20s', what: event });
  }
}

describe('a breakpoint that lasts longer than timeout', function () {
  it('does not cost the process its life, nor the caller its answer', async () => {
    const logger = new Lines();
    const options = { timeout: '300ms', env: { JOURNAL: '/dev/null' } } as const;
    const debugged = await spawn(JournalWorker, {
      ...options,
      logger,
      execArgv: ['--inspect=127.0.0.1:0'],
      heartbeat: { every: '100ms', grace: '100ms' },
    });
    atEnd(() => debugged.close({ timeout: '1s' }).then(() => {}));
    const url = await waitFor(() => /ws:\/\/[^\s"\\]+/.exec(logger.text.join('\n'))?.[0], { within: '20s', what: 'the inspector' });
    const inspector = await Debugger.attach(url);
    inspector.send('Debugger.enable');
    inspector.send('Debugger.pause');
    const answer = debugged.spin(1);
    await inspector.has('Debugger.paused');
    // The yardstick: a call to a process without an inspector, with the same limit, is over meanwhile.
    const other = await spawn(JournalWorker, { ...options, logger: false });
    atEnd(() => other.close({ timeout: '1s' }).then(() => {}));
    const failed = await other.spin(60_000).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(WorkerTimeoutError);
    inspector.send('Debugger.resume');
    await answer;
  });

  it('is expected of a process that is started under an inspector, and of no other', () => {
    const none = { execArgv: [], env: {}, runtime: 'process' } as const;
    expect(isDebugged(none)).to.equal(false);
    expect(isDebugged({ ...none, execArgv: ['--enable-source-maps', '--inspector-x', '--require=--inspect'] })).to.equal(false);
    for (const flag of ['--inspect', '--inspect=0', '--inspect-brk', '--inspect-wait=127.0.0.1:9230'])
      expect(isDebugged({ ...none, execArgv: [flag] }), flag).to.equal(true);
    expect(isDebugged({ ...none, env: { NODE_OPTIONS: '--import x --inspect-brk=0' } })).to.equal(true);
    expect(isDebugged({ ...none, env: { VSCODE_INSPECTOR_OPTIONS: '{}' } })).to.equal(true);
  });
});
