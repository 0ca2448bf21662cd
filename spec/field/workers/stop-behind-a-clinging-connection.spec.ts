import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { bootstrap, Module, Workers, type ExitReason } from 'packet-ts';
import { atEnd } from '../../kit/index.js';
import { Clinging, ClingingStore } from '../support/clinging.worker.js';

@Module({ workers: [ClingingStore] })
class ClingingModule {}

describe('a worker with a connection that does not end', () => {
  it('runs @OnStop within its closeTimeout: the connection is cut off before that is over', async () => {
    const lines: string[] = [];
    const heard = (output: unknown): void => void lines.push((output as { line: string }).line);
    subscribe('packet-ts:worker.output', heard);
    atEnd(() => unsubscribe('packet-ts:worker.output', heard));
    const app = await bootstrap(ClingingModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: '3s' }));
    const client = connect(app.address(Clinging).port);
    client.on('error', () => {});
    client.write('x');
    await once(client, 'data');
    const workers = app.get(Workers);
    const exits: ExitReason[] = [];
    workers.on('exit', (_process, why) => exits.push(why));
    await workers.stop(workers.get(ClingingStore)!);
    expect(exits).to.deep.equal([{ exitCode: 0, signal: null, reason: 'stop' }]);
    expect(lines).to.include('the store is written');
  });
});
