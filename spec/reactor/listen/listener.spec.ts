import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import { lines } from '../../../src/framing/lines.js';
import { Admission } from '../../../src/reactor/listen/admission.js';
import { Peer } from '../../../src/reactor/index.js';
import { resolveLimits } from '../../../src/session/limits.js';
import { Events } from '../../kit/events.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { turns } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

@Connection({ framing: lines() })
class Echo {
  constructor(readonly peer: Peer) {}
  @OnConnect() connect() {
    return 'welcome';
  }
  @OnData() data(line: string) {
    return line;
  }
}

describe('a listener', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  for (const where of ['memory:listener-spec', 'tcp://127.0.0.1:0'] as const) {
    describe(`on ${where.split(':')[0]}`, () => {
      it('maxConnections: what is beyond is accepted and closed, with an event; a slot is free again when one leaves', async () => {
        using rejected = new Events('listener.reject');
        const { address } = await kit.listen(Echo, where, { maxConnections: 2 });
        const clients = [await WireClient.connect(address.url), await WireClient.connect(address.url)];
        for (const client of clients) await client.reads('welcome');
        const third = await WireClient.connect(address.url);
        await third.readsAll();
        expect(third.text).to.equal('');
        third.destroy();
        expect(rejected.seen).to.have.length(1);
        expect(rejected.seen[0]).to.include({ handler: 'Echo', reason: 'maxConnections' });
        using closed = new Events('connection.close');
        clients[0]!.destroy();
        await closed.next();
        await (await WireClient.connect(address.url)).reads('welcome');
      });

      it('whenFull: pause closes the listener, and binds it again where it was when there is room', async () => {
        const listening = await kit.listen(Echo, where, { maxConnections: 1, whenFull: 'pause' });
        const { url } = listening.address;
        using closing = new Events('connection.close');
        const first = await WireClient.connect(url);
        await first.reads('welcome');
        await turns();
        expect(await WireClient.connect(url).catch((error: Error) => error)).to.include({ name: 'ConnectError', reason: 'refused' });
        using opened = new Events('listener.open');
        const bound = opened.next();
        first.destroy();
        await Promise.all([bound, closing.seen.length > 0 ? undefined : closing.next()]);
        await (await WireClient.connect(url)).reads('welcome');
      });

      it('suspend() stops accepting and leaves connections alone; resume() listens where it was', async () => {
        const listening = await kit.listen(Echo, where);
        const { url } = listening.address;
        const before = await WireClient.connect(url);
        await before.reads('welcome');
        await listening.suspend();
        expect(await WireClient.connect(url).catch((error: Error) => error)).to.have.property('name', 'ConnectError');
        before.send('alive\n');
        await before.reads('alive');
        await listening.resume();
        await (await WireClient.connect(url)).reads('welcome');
        await listening.close();
        await listening.close();
        expect(await WireClient.connect(url).catch((error: Error) => error)).to.have.property('name', 'ConnectError');
      });

      it('limits can be changed while it runs', async () => {
        const listening = await kit.listen(Echo, where);
        listening.limits.maxConnections = 0;
        const refused = await WireClient.connect(listening.address.url);
        await refused.readsAll();
        expect(refused.text).to.equal('');
        refused.destroy();
        listening.limits.maxConnections = 1;
        await (await WireClient.connect(listening.address.url)).reads('welcome');
      });
    });
  }

  it('maxPerPeer counts by address', async () => {
    using rejected = new Events('listener.reject');
    const { address } = await kit.listen(Echo, 'tcp://127.0.0.1:0', { maxPerPeer: 1 });
    const first = await WireClient.connect(address.url);
    await first.reads('welcome');
    const second = await WireClient.connect(address.url);
    await second.readsAll();
    expect([second.text, rejected.seen[0]!['reason']]).to.deep.equal(['', 'maxPerPeer']);
    second.destroy();
  });

  it('allow and deny are asked before anything is made', async () => {
    using rejected = new Events('listener.reject');
    const denied = await kit.listen(Echo, 'tcp://127.0.0.1:0', { deny: ['127.0.0.0/8'] });
    const allowed = await kit.listen(Echo, 'tcp://127.0.0.1:0', { allow: ['127.0.0.1'] });
    const client = await WireClient.connect(denied.address.url);
    await client.readsAll();
    client.destroy();
    expect(kit.made).to.deep.equal([]);
    expect(rejected.seen[0]!['reason']).to.equal('deny');
    await (await WireClient.connect(allowed.address.url)).reads('welcome');
  });

  it('a port in use is a ListenError that names it', async () => {
    const { address } = await kit.listen(Echo, 'tcp://127.0.0.1:0');
    const error = await kit.listen(Echo, address.url as 'tcp://127.0.0.1:1').catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'ListenError', url: address.url });
    expect((error as Error).message).to.match(/in use/);
  });

  it('that is still binding when the reactor closes does not listen afterwards', async () => {
    const { address } = await kit.listen(Echo, 'tcp://127.0.0.1:0');
    await kit.close();
    const other = rig();
    const binding = other.listen(Echo, address.url as 'tcp://127.0.0.1:0').catch(({ name }: Error) => name);
    await other.reactor.close();
    expect(await binding).to.equal('ClosingError');
    await turns();
    expect(await WireClient.connect(address.url).catch((error: Error) => error)).to.include({ name: 'ConnectError', reason: 'refused' });
  });
});

describe('Admission', () => {
  const admission = (rules = {}, limits = {}): Admission =>
    new Admission({ ...resolveLimits({}, lines(), 'tcp', 'listen'), ...limits }, rules);
  const at = (address: string): { url: string; address: string } => ({ url: 'tcp:', address });

  it('deny is stronger than allow, and an IPv4 client of an IPv6 socket is an IPv4 client', () => {
    const rules = admission({ allow: ['10.0.0.0/8', 'fd00::/8'], deny: ['10.1.0.0/16'] });
    expect(rules.enter(at('10.2.3.4'))).to.equal(undefined);
    expect(rules.enter(at('::ffff:10.2.3.4'))).to.equal(undefined);
    expect(rules.enter(at('fd00::1'))).to.equal(undefined);
    expect(rules.enter(at('10.1.3.4'))).to.equal('deny');
    expect(rules.enter(at('::ffff:10.1.3.4'))).to.equal('deny');
    expect(rules.enter(at('192.0.2.1'))).to.equal('allow');
    expect(rules.count).to.equal(3);
  });

  it('says what is wrong with a range', () => {
    expect(() => admission({ allow: ['10.0.0.0/99'] })).to.throw(/'10\.0\.0\.0\/99' is no address or range/);
    expect(() => admission({ deny: ['somewhere'] })).to.throw(/'somewhere'/);
  });

  it('maxPerPeer takes one /64 of IPv6 for one address, however it is written, and an IPv4 client for itself', () => {
    const counting = admission({}, { maxPerPeer: 1 });
    for (const [address, refused] of [
      ['2001:db8::1', undefined],
      ['2001:DB8:0:0:1:2:3:4', 'maxPerPeer'],
      ['2001:db8:0:0::', 'maxPerPeer'],
      ['2001:db8:0:1::1', undefined],
      ['64:ff9b::10.0.0.1', undefined],
      ['64:ff9b::10.0.0.2', 'maxPerPeer'],
      ['fe80::1%eth0', undefined],
      ['fe80::2%eth0', 'maxPerPeer'],
      ['fe80::1%eth1', undefined],
      ['10.0.0.1', undefined],
      ['::ffff:10.0.0.1', 'maxPerPeer'],
      ['10.0.0.2', undefined],
    ] as const)
      expect(counting.enter(at(address)), address).to.equal(refused);
    counting.leave(at('2001:db8::1'));
    expect(counting.enter(at('2001:db8::5'))).to.equal(undefined);
  });

  it('the default of maxPerPeer leaves the loopback out; one that is written, or changed later, does not', () => {
    const limits = resolveLimits({ maxConnections: 10 }, lines(), 'tcp', 'listen');
    const counting = new Admission(limits, {});
    for (const address of ['127.0.0.1', '127.0.0.1', '127.1.2.3', '::1', '::1', '::ffff:127.0.0.1', '10.0.0.1'])
      expect(counting.enter(at(address)), address).to.equal(undefined);
    expect(counting.enter(at('10.0.0.1'))).to.equal('maxPerPeer');
    limits.maxPerPeer = 2;
    expect(counting.enter(at('127.0.0.1'))).to.equal('maxPerPeer');
    expect(admission({ maxPerPeer: 1 }, { maxPerPeer: 1 }).enter(at('127.0.0.1'))).to.equal(undefined);
  });

  it('counts who left', () => {
    const counting = admission({}, { maxConnections: 2, maxPerPeer: 1 });
    expect(counting.enter(at('10.0.0.1'))).to.equal(undefined);
    expect(counting.enter(at('10.0.0.1'))).to.equal('maxPerPeer');
    expect(counting.enter(at('10.0.0.2'))).to.equal(undefined);
    expect(counting.enter(at('10.0.0.3'))).to.equal('maxConnections');
    counting.leave(at('10.0.0.1'));
    expect(counting.enter(at('10.0.0.1'))).to.equal(undefined);
    expect(counting.count).to.equal(2);
  });
});
