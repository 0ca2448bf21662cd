import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { pino, type Logger as Pino } from 'pino';
import { bootstrap, InjectWorker, Module, type App, type WorkerClient } from 'packet-ts';
import { DebuggingInline, DebuggingProcess, DebuggingThread } from '../fixtures/logging/debugging.worker.js';
import { atEnd, waitFor } from '../kit/index.js';

class Callers {
  constructor(
    @InjectWorker(DebuggingProcess) readonly process: WorkerClient<DebuggingProcess>,
    @InjectWorker(DebuggingThread) readonly thread: WorkerClient<DebuggingThread>,
    @InjectWorker(DebuggingInline) readonly inline: WorkerClient<DebuggingInline>,
  ) {}
}

@Module({ workers: [DebuggingProcess, DebuggingThread, DebuggingInline], providers: [Callers] })
class DebuggingModule {}

describe('a change of the level of the logger', function () {
  this.timeout(60_000);
  let app: App;
  let logger: Pino;
  let lines: { readonly level: number; readonly msg: string; readonly worker?: string }[];

  async function start(level: string, admin?: true): Promise<void> {
    lines = [];
    logger = pino({ level }, { write: line => lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const page = admin && { admin: { listen: 'http://127.0.0.1:0' } as const };
    app = await bootstrap(DebuggingModule, { logger, signals: false, ...page });
    atEnd(() => app.close({ timeout: '5s' }));
  }

  /** Has a task log at both levels, and gives what arrived of it, once what it logged last is there. */
  async function logged(worker: keyof Callers, word: string): Promise<readonly number[]> {
    await app.get(Callers)[worker].say(word);
    const own = (): typeof lines => lines.filter(({ msg }) => msg === word);
    await waitFor(() => own().some(({ level }) => level === 60), { within: '10s', what: `${word} of ${worker}` });
    return own().map(({ level }) => level);
  }

  it('is told to workers that run, in a process, in a thread and inline', async () => {
    await start('info');
    const said = (word: string): Promise<readonly (readonly number[])[]> =>
      Promise.all((['process', 'thread', 'inline'] as const).map(worker => logged(worker, `${word} ${worker}`)));
    const each = (...levels: readonly number[]): readonly (readonly number[])[] => [levels, levels, levels];
    expect(await said('before')).to.deep.equal(each(30, 60));
    logger.level = 'debug';
    expect(await said('lower')).to.deep.equal(each(20, 30, 60));
    logger.level = 'fatal';
    expect(await said('higher')).to.deep.equal(each(60));
  });

  it('keeps records below it in their worker, all of them where the logger is silent; a child of the logger changes nothing', async () => {
    await start('info');
    const crossed: string[] = [];
    const hear = (record: unknown): void => void crossed.push(String((record as { readonly message: unknown }).message));
    subscribe('packet-ts:worker.log', hear);
    atEnd(() => void unsubscribe('packet-ts:worker.log', hear));
    const { process: worker } = app.get(Callers);
    await worker.say('info');
    logger.child({}).level = 'debug';
    await worker.say('child');
    logger.level = 'silent';
    await worker.say('silent');
    logger.level = 'debug';
    await logged('process', 'debug');
    expect(crossed).to.deep.equal(['info', 'info', 'child', 'child', 'debug', 'debug', 'debug']);
  });

  it('is told with the page switched on, which hears from info on', async () => {
    await start('fatal', true);
    expect(await logged('process', 'before')).to.deep.equal([60]);
    logger.level = 'debug';
    expect(await logged('process', 'lower')).to.deep.equal([20, 30, 60]);
  });
});
