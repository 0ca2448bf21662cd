import { expect } from 'chai';
import { Connection, exec, inject, OnClose, OnData, OnError, OnExit, OnSecure, OnShutdown, Peer, type CloseReason } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Authority } from '../../kit/programs/certificates.js';
import { Events } from '../../kit/events.js';
import { needsProgram, type TcpClient } from '../../kit/index.js';
import { Journal } from '../../kit/signals.js';
import { secured } from '../../kit/clients/tls-client.js';
import { House } from '../support/house.js';
import { FAILURES, never } from '../support/victim.js';

const LOCAL = 'tcp://127.0.0.1:0';
const GRACEFUL = { graceful: true, connections: 0, calls: 0, workers: 0 };

@Connection({ listen: LOCAL, framing: lines() })
class Polite {
  @OnShutdown() bye(): string {
    return 'bye';
  }
}

/** A class per test: its hook does what it is told to. */
function leaving(hook: 'OnShutdown' | 'OnClose' | 'OnError', misbehave: () => unknown) {
  const journal = new Journal();
  const reasons: CloseReason[] = [];
  @Connection({ listen: LOCAL, framing: lines() })
  class Leaving {
    @OnData() data(line: string): string {
      if (line === 'bad') throw new Error('first');
      return line;
    }
    @OnShutdown() bye(): unknown {
      return hook === 'OnShutdown' ? misbehave() : undefined;
    }
    @OnClose() closed(reason: CloseReason): unknown {
      reasons.push(reason);
      journal.note('closed');
      return hook === 'OnClose' ? misbehave() : undefined;
    }
  }
  if (hook === 'OnError') {
    class Explaining extends Leaving {
      @OnError() explain(): unknown {
        journal.note('asked');
        return misbehave();
      }
    }
    return { cls: Explaining, journal, reasons };
  }
  return { cls: Leaving, journal, reasons };
}

describe('@OnShutdown', () => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`that ${how} takes nobody else’s farewell away`, async () => {
      const { cls, reasons } = leaving('OnShutdown', fail);
      const house = await House.open([cls, Polite]);
      const [failing, polite] = [await house.connect(cls), await house.connect(Polite)];
      await house.servesOthers();
      const closing = house.close();
      expect(await polite.all()).to.equal('bye\n');
      expect(await failing.all()).to.equal('');
      polite.end();
      failing.end();
      expect(await closing).to.deep.equal(GRACEFUL);
      expect(reasons).to.have.length(1);
      expect(reasons[0]).to.include({ by: 'error', code: 'Boom' });
    });
  }

  it('that never settles is cut off at the deadline; the others have had their farewell by then', async () => {
    const { cls, reasons } = leaving('OnShutdown', never);
    const house = await House.open([cls, Polite]);
    const [hanging, polite] = [await house.connect(cls), await house.connect(Polite)];
    const closing = house.close(100);
    expect(await polite.all()).to.equal('bye\n');
    polite.end();
    expect(await closing).to.include({ graceful: false, connections: 1 });
    expect(reasons).to.deep.equal([{ by: 'shutdown', code: 'SHUTDOWN' }]);
    hanging.end();
  });
});

describe('@OnClose', () => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`that ${how} is logged, called once, and hurts nobody`, async () => {
      using logged = new Events('hook.error');
      using closed = new Events('connection.close');
      const { cls, journal, reasons } = leaving('OnClose', fail);
      const house = await House.open([cls]);
      (await house.connect(cls)).reset();
      await journal.has('closed');
      await house.servesOthers();
      expect(logged.seen).to.have.length(1);
      expect(logged.seen[0]).to.include({ handler: 'Leaving', hook: 'OnClose' });
      expect(closed.seen.filter(({ handler }) => handler === 'Leaving')).to.have.length(1);
      expect(await house.close()).to.deep.equal(GRACEFUL);
      expect(reasons).to.have.length(1);
    });
  }

  it('that never settles is counted as cut off when the application closes', async () => {
    const { cls, journal, reasons } = leaving('OnClose', never);
    const house = await House.open([cls]);
    (await house.connect(cls)).reset();
    await journal.has('closed');
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 1 });
    expect(reasons).to.have.length(1);
  });
});

describe('@OnError', () => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`that ${how} closes its connection by that error`, async () => {
      using logged = new Events('connection.error');
      const { cls, journal, reasons } = leaving('OnError', fail);
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send('good\nbad\nnever\n');
      expect(await client.all()).to.equal('good\n');
      client.end();
      await journal.has('closed');
      expect(reasons[0]).to.include({ by: 'error', code: 'Boom' });
      expect(logged.seen[0]).to.include({ during: 'hook', hook: 'OnError' });
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
    });
  }

  it('that never settles holds up its own connection alone', async () => {
    const { cls, journal, reasons } = leaving('OnError', never);
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('good\nbad\nnever\n');
    expect(await client.line()).to.equal('good');
    await journal.has('asked');
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 1 });
    expect(reasons.map(({ by }) => by)).to.deep.equal(['shutdown']);
  });

  it('that never settles does not keep a connection open whose bytes cannot be read', async () => {
    const { cls, journal, reasons } = leaving('OnError', never);
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('x'.repeat(100_000));
    await journal.has('asked');
    client.reset();
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 1 });
    expect(reasons[0]).to.include({ by: 'error', code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
  });
});

describe('@OnExit', () => {
  const command = (misbehave: () => unknown) => {
    const journal = new Journal();
    const reasons: CloseReason[] = [];
    @Connection({ framing: lines() })
    class Command {
      @OnData() data(): void {}
      @OnExit() exit(): unknown {
        journal.note('exit');
        return misbehave();
      }
      @OnClose() closed(reason: CloseReason): void {
        reasons.push(reason);
        journal.note('closed');
      }
    }
    return { Command, journal, reasons };
  };

  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`that ${how} is logged and hurts nobody; the connection closes as it would have`, async () => {
      using logged = new Events('connection.error');
      const { Command, journal, reasons } = command(fail);
      const house = await House.open([]);
      await house.app.reactor.connect(Command, exec('true'));
      await journal.has('closed');
      expect(logged.seen[0]).to.include({ handler: 'Command', during: 'hook', hook: 'OnExit' });
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
      expect(reasons).to.have.length(1);
    });
  }

  it('that never settles is cut off at the deadline', async () => {
    const { Command, journal, reasons } = command(never);
    const house = await House.open([]);
    await house.app.reactor.connect(Command, exec('true'));
    await journal.has('exit');
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 1 });
    expect(reasons).to.have.length(1);
  });
});

describe('@OnSecure', () => {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  before(() => (authority = new Authority()));
  after(() => authority[Symbol.dispose]());

  const securing = (misbehave: () => unknown) => {
    const journal = new Journal();
    const reasons: CloseReason[] = [];
    @Connection({ listen: LOCAL, framing: lines(), tls: authority.issue('127.0.0.1') })
    class Securing {
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string): Promise<string | undefined> {
        if (line !== 'STARTTLS') return line;
        this.peer.send('go ahead');
        await this.peer.startTls();
        return 'secure';
      }
      @OnSecure() secure(): unknown {
        journal.note('called');
        return misbehave();
      }
      @OnClose() closed(reason: CloseReason): void {
        reasons.push(reason);
        journal.note('closed');
      }
    }
    return { cls: Securing, journal, reasons };
  };
  const upgrade = async (house: House, cls: Ctor): Promise<TcpClient> => {
    const client = await house.connect(cls);
    await client.send('STARTTLS\n');
    expect(await client.line()).to.equal('go ahead');
    return secured(client, { ca: authority.cert });
  };

  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`that ${how} closes its connection by error`, async () => {
      using logged = new Events('connection.error');
      const { cls, journal, reasons } = securing(fail);
      const house = await House.open([cls]);
      const client = await upgrade(house, cls);
      expect(await client.all()).to.equal('');
      client.end();
      await journal.has('closed');
      expect(reasons[0]).to.include({ by: 'error', code: 'Boom' });
      expect(logged.seen[0]).to.include({ during: 'hook', hook: 'OnSecure' });
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
    });
  }

  it('that never settles holds up its own connection alone', async () => {
    const { cls, journal, reasons } = securing(never);
    const house = await House.open([cls]);
    await upgrade(house, cls);
    await journal.has('called');
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 1 });
    expect(reasons.map(({ by }) => by)).to.deep.equal(['shutdown']);
  });
});
