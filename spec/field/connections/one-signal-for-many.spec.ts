import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { bootstrap, Connection, Module, OnData, Peer } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { atEnd, waitFor } from '../../kit/index.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Echo {
  @OnData() echo(line: string): string {
    return line;
  }
}

@Connection({ framing: lines() })
class Dialed {
  constructor(readonly peer: Peer<string, string>) {}
  @OnData() heard(): void {}
}

@Module({ connections: [Echo] })
class EchoModule {}

describe('a crowd of connections that hang on one signal', () => {
  it('makes Node warn of no leak: the signal has one listener, and none when they have gone', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    atEnd(() => process.off('warning', warned));
    const app = await bootstrap(EchoModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: '2s' }));
    const end = new AbortController();
    const listeners = (): number => getEventListeners(end.signal, 'abort').length;
    const where = `tcp://127.0.0.1:${app.address(Echo).port}` as const;

    const dials = Array.from({ length: 20 }, () => app.reactor.connect(Dialed, where, { signal: end.signal }));
    const dialers = Array.from({ length: 20 }, () => app.reactor.dial(Dialed, where, { signal: end.signal }));
    expect(listeners(), 'while they are dialled').to.equal(1);
    const dialed = await Promise.all(dials);
    await waitFor(() => dialers.every(({ state }) => state === 'up'));
    expect(listeners(), 'while they are open').to.equal(1);
    end.abort();
    await waitFor(() => dialed.every(({ peer }) => peer.signal.aborted) && dialers.every(({ state }) => state === 'closed'));
    expect(listeners(), 'when they are closed').to.equal(0);
    expect(warnings).to.deep.equal([]);
  });
});
