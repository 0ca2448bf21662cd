import { expect } from 'chai';
import type { HostExit } from '../../src/hosts/host.js';
import { inlineHost } from '../../src/hosts/inline.js';
import { serveInline } from '../../src/tasks/index.js';
import { duplexPair } from '../../src/wire/link/duplex-pair.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { atEnd } from '../kit/cleanup.js';
import { waitFor } from '../kit/wait-for.js';
import { LinkEnd } from '../kit/workers/link-end.js';
import { hostSpec } from '../kit/workers/probe.js';
import { bootMessage, loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

class Fixture {
  echo(input: unknown): unknown {
    return input;
  }
  hang(): Promise<void> {
    return new Promise(() => {});
  }
}
const fixture = workerOf(Fixture, [taskOf('echo'), taskOf('hang')]);

function start(load: Parameters<typeof serveInline>[0] = () => Promise.resolve(loaded(fixture))) {
  const host = inlineHost({ pair: duplexPair, start: serveInline(load) });
  const process = host.start(hostSpec());
  const exit = new Promise<HostExit>(resolve => process.onExit(resolve));
  const master = new LinkEnd(process.stream);
  atEnd(() => master.link.destroy());
  master.boot(bootMessage());
  return { master, process, exit };
}

describe('the inline host', () => {
  it('serves the same protocol inside this process, with copies', async () => {
    const { master, process: inline } = start();
    await master.kind('READY');
    const input = { a: [1] };
    const { value } = await master.ask(0, input);
    expect(value).to.deep.equal(input);
    expect(value).not.to.equal(input);
    expect(inline.pid).to.equal(process.pid);
    expect(inline.mark()).to.equal(1);
    expect([inline.rss(), inline.isStopped()]).to.deep.equal([undefined, false]);
  });

  it('reports a stop as an exit with 0', async () => {
    const { master, exit } = start();
    await master.kind('READY');
    master.link.send(Kind.STOP, 0, 0);
    await master.over;
    expect(await exit).to.deep.equal({ exitCode: 0, signal: null, stderr: '', memory: false });
  });

  it('reports a worker that cannot start as an exit with 1, after its error', async () => {
    const { master, exit } = start(() => Promise.reject(new Error('no')));
    expect((await master.kind('FAILURE')).value).to.have.property('message', 'no');
    expect(await exit).to.include({ exitCode: 1, signal: null });
  });

  for (const when of ['before it dies', 'only then'] as const)
    it(`closes a socket that a worker did not begin with, given to it for good ${when}: it is nobody else's`, async () => {
      const service = {
        serve: () => {},
        accept: () => Promise.resolve(),
        stopListening: () => Promise.resolve(),
        shutDown: () => Promise.resolve(),
        handOver: () => Promise.resolve(),
      };
      const plain = loaded(fixture);
      const create: typeof plain.create = async environment => ({ ...(await plain.create(environment)), sockets: service });
      const { master, process: inline, exit } = start(() => Promise.resolve({ ...plain, create }));
      await master.kind('READY');
      let closed = 0;
      const handle = { close: () => void closed++ };
      master.link.sendValue(Kind.SOCKET, 1, 0, { how: 'deal', connection: 0, endpoint: 0, url: 'tcp:' });
      inline.sockets!.pass(1, handle, () => expect.fail('it arrives'));
      await master.kind('SOCKET_ACK');
      if (when === 'before it dies') inline.sockets!.release(handle);
      inline.kill('SIGKILL');
      await exit;
      await master.over;
      if (when === 'only then') {
        expect(closed).to.equal(0);
        inline.sockets!.release(handle);
      }
      await waitFor(() => closed === 1);
    });

  it('drops a killed worker at once, whatever it does, and tells it later', async () => {
    const { master, process: inline, exit } = start();
    await master.kind('READY');
    master.call(1);
    await master.roundTrip();
    let told = false;
    inline.onExit(() => (told = true));
    inline.kill('SIGKILL');
    inline.kill('SIGKILL');
    expect(told).to.equal(false);
    expect(await exit).to.include({ exitCode: null, signal: 'SIGKILL' });
    await master.over;
    expect(inline.mark()).to.equal(1);
  });

  it('drops a worker whose master has closed the link', async () => {
    const { master, exit } = start();
    await master.kind('READY');
    master.link.destroy();
    expect((await exit).signal).to.equal(null);
  });
});
