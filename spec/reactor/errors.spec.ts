import { expect } from 'chai';
import { z } from 'zod';
import { Connection } from '../../src/decorators/connection/connection.js';
import {
  OnChannel,
  OnClose,
  OnConnect,
  OnData,
  OnDrain,
  OnEnd,
  OnError,
  OnIdle,
  OnShutdown,
} from '../../src/decorators/connection/connection-hooks.js';
import { channel } from '../../src/decorators/injection/channel-token.js';
import { After } from '../../src/decorators/lifecycle.js';
import type { About, CloseReason } from '../../src/decorators/hook-types.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { lines } from '../../src/framing/lines.js';
import { AbortError, FramingError } from '../../src/errors.js';
import type { Framing } from '../../src/framing/framing.js';
import { Peer } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Events } from '../kit/events.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('errors', () => {
  let kit: Rig;
  let clock: FakeClock;
  let journal: Journal;
  let logged: Events;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
    logged = new Events('connection.error');
  });
  afterEach(async () => {
    logged[Symbol.dispose]();
    await kit.close();
  });

  const dial = async (cls: Ctor, options = {}): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, undefined, options)).address.url);

  describe('of a handler', () => {
    it('with @OnError: the connection lives, and the answer takes the failed message’s place', async () => {
      @Connection({ framing: lines() })
      class Explains {
        @OnData() data(line: string) {
          if (line === 'sync') throw new Error('sync failed');
          return line === 'async' ? Promise.reject(new Error('async failed')) : line;
        }
        @OnError() explain(error: Error, about: About) {
          return `${error.message} during ${about.during} of ${String(about.message)}`;
        }
      }
      const client = await dial(Explains);
      client.send('1\nsync\n2\nasync\n3\n');
      await client.reads('3\n');
      expect(client.text).to.equal('1\nsync failed during message of sync\n2\nasync failed during message of async\n3\n');
      expect(logged.seen).to.deep.equal([]);
    });

    for (const how of ['throws', 'rejects'] as const) {
      it(`that ${how} without @OnError: it is logged, what was answered before still arrives, and the connection closes by error`, async () => {
        @Connection({ framing: lines() })
        class Silent {
          @OnData() data(line: string) {
            if (line !== 'bad') return line;
            if (how === 'throws') throw new TypeError('bad line');
            return Promise.reject(new TypeError('bad line'));
          }
          @OnClose() closed({ by, code, error }: CloseReason) {
            journal.note(`${by} ${code} ${error?.message}`);
          }
        }
        const client = await dial(Silent);
        client.send('good\nbad\nnever\n');
        expect(await client.readsAll()).to.equal('good\n');
        client.end();
        await journal.has('error TypeError bad line');
        expect(logged.seen).to.have.length(1);
        expect(logged.seen[0]).to.include({ handler: 'Silent', during: 'message' });
      });
    }

    it('what a framing encodes as anything but bytes is an EncodeError of that message, on every transport', async () => {
      for (const [encodes, where] of [
        [[5], 'tcp://127.0.0.1:0'],
        [{ length: 1 }, 'tcp://127.0.0.1:0'],
        [undefined, 'udp://127.0.0.1:0'],
        [Promise.resolve('late'), 'memory:encodes'],
      ] as const) {
        const told = deferred<{ readonly error: Error; readonly during: string }>();
        // Cast: it breaks its promise.
        const framing = { ...lines(), whole: undefined, encode: () => encodes } as unknown as Framing<string>;
        @Connection({ framing })
        class Broken {
          @OnData() data() {
            return 'x';
          }
          @OnError() failed(error: Error, { during }: About) {
            told.resolve({ error, during });
          }
        }
        const { address } = await kit.listen(Broken, where);
        const client = await WireClient.connect(address.url);
        client.send('x\n');
        const { error, during } = await told.promise;
        expect(error, where).to.include({ name: 'EncodeError', handler: 'Broken' });
        expect(during).to.equal('encode');
        client.destroy();
      }
    });

    it('gives @OnError an Error whatever was thrown', async () => {
      const errors: Error[] = [];
      const things: unknown[] = ['text', 7, null, undefined, { code: 1 }];
      @Connection({ framing: lines() })
      class Throws {
        @OnData() data(line: string) {
          throw things[Number(line)];
        }
        @OnError() explain(error: Error) {
          errors.push(error);
          return error.message.includes('\n') ? 'several lines' : 'one line';
        }
      }
      const client = await dial(Throws);
      client.send('0\n1\n2\n3\n4\n');
      await client.reads(/(one line\n){5}/);
      expect(errors.every(error => error instanceof Error)).to.equal(true);
      expect(errors.map(error => error.cause)).to.deep.equal(things);
    });

    it('an @OnError that throws closes the connection by that error', async () => {
      for (const how of ['throws', 'rejects']) {
        @Connection({ framing: lines() })
        class Worse {
          @OnData() data(): never {
            throw new Error('first');
          }
          @OnError() explain() {
            if (how === 'throws') throw new Error('second');
            return Promise.reject(new Error('second'));
          }
          @OnClose() closed({ by, error }: CloseReason) {
            journal.note(`${how} ${by} ${error?.message}`);
          }
        }
        const client = await dial(Worse);
        client.send('x\n');
        await client.readsAll();
        client.end();
        await journal.has(`${how} error second`);
      }
      expect(logged.seen.map(({ hook }) => hook)).to.deep.equal(['OnError', 'OnError']);
    });

    it('runs all @OnError methods and sends what each answers', async () => {
      @Connection({ framing: lines() })
      class Two {
        @OnData() data(): never {
          throw new Error('no');
        }
        @OnError() async one() {
          return 'one';
        }
        @OnError() two() {
          return 'two';
        }
      }
      const client = await dial(Two);
      client.send('x\n');
      await client.reads('one\ntwo\n');
    });
  });

  describe('of a constructor', () => {
    it('closes that connection alone', async () => {
      let count = 0;
      @Connection({ framing: lines() })
      class Picky {
        constructor(peer: Peer) {
          peer.send('begin');
          if (++count === 1) throw new Error('not you');
        }
        @OnData() data(line: string) {
          return line;
        }
        @OnClose() closed() {
          journal.note('closed');
        }
      }
      const { address } = await kit.listen(Picky);
      const first = await WireClient.connect(address.url);
      await first.whenClosed();
      expect(first.text).to.equal('');
      expect(journal.entries).to.deep.equal([]);
      expect(kit.reactor.connections().count).to.equal(0);
      const second = await WireClient.connect(address.url);
      second.send('x\n');
      await second.reads('begin\nx\n');
      expect(logged.seen[0]).to.include({ handler: 'Picky', hook: 'constructor' });
    });
  });

  describe('of the framing', () => {
    it('with @OnError: last words are sent, then it is closed by error; nothing more is handled', async () => {
      @Connection({ framing: lines({ maxLength: 4 }) })
      class LastWords {
        @OnData() data(line: string) {
          return line;
        }
        @OnError() async explain(error: Error, about: About) {
          await turns();
          return `${about.during}: ${error.name}`.replace('framing: FramingError', 'bye');
        }
        @OnClose() closed({ by, code, error }: CloseReason) {
          journal.note(`${by} ${code} ${error instanceof FramingError}`);
        }
      }
      const client = await dial(LastWords);
      client.send('ok\ntoo long for this\nok\n');
      expect(await client.readsAll()).to.equal('ok\nbye\n');
      client.end();
      await journal.has('error ERR_PACKET_FRAMING_TOO_LARGE true');
    });

    it('without: it is logged and closed', async () => {
      @Connection({ framing: lines({ maxLength: 4 }) })
      class Mute {
        @OnData() data(line: string) {
          return line;
        }
      }
      const client = await dial(Mute);
      client.send('ok\ntoo long for this');
      expect(await client.readsAll()).to.equal('ok\n');
      expect(logged.seen[0]).to.include({ during: 'framing' });
    });

    it('a message cut off by the end is one', async () => {
      @Connection({ framing: lengthPrefixed({ bytes: 2 }) })
      class Prefixed {
        @OnData() data() {}
        @OnError() error(error: Error & { code?: string }) {
          journal.note(String(error.code));
        }
      }
      const client = await dial(Prefixed);
      client.send(Buffer.from([0, 9, 1]));
      client.end();
      await journal.has('ERR_PACKET_FRAMING_TRUNCATED');
      await client.whenClosed();
    });

    it('whatever a decoder throws counts as one, and so does a rest that it leaves', async () => {
      const framing = (next: () => string | undefined): Framing<string> => ({
        decoder: () => ({ push: () => {}, next, rest: () => Buffer.from('left') }),
        encode: text => text,
      });
      const messages: string[] = [];
      const handler = (next: () => string | undefined): Ctor => {
        @Connection({ framing: framing(next) })
        class Custom {
          @OnData() data() {}
          @OnError() error(error: Error, about: About) {
            messages.push(`${about.during}: ${error.message}`);
          }
        }
        return Custom;
      };
      const throwing = await dial(
        handler(() => {
          throw new RangeError('what is this?');
        }),
      );
      throwing.send('x');
      await throwing.readsAll();
      const resting = await dial(handler(() => undefined));
      resting.send('x');
      resting.end();
      await resting.whenClosed();
      expect(messages[0]).to.equal('framing: what is this?');
      expect(messages[1]).to.match(/^framing: .*in the middle of a message, 4 bytes/);
    });

    it('closes a peer that does not leave after its last words', async () => {
      @Connection({ framing: lines({ maxLength: 1 }) })
      class Lingers {
        @OnData() data() {}
        @OnClose() closed({ by }: CloseReason) {
          journal.note(by);
        }
      }
      const client = await dial(Lingers);
      client.send('xxx');
      await client.readsAll();
      await clock.advance('6s');
      await journal.has('error');
    });
  });

  describe('caused by closing', () => {
    it('are dropped: a call aborted because the peer has left is nobody’s failure', async () => {
      @Connection({ framing: lines() })
      class Calls {
        constructor(private readonly peer: Peer) {}
        @OnData() data(line: string) {
          const { signal } = this.peer;
          journal.note('called');
          return new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(line === 'ours' ? new AbortError(signal.reason) : signal.reason)),
          );
        }
        @OnError() error() {
          journal.note('error');
        }
        @OnClose() closed() {
          journal.note('closed');
        }
      }
      for (const line of ['ours', 'reason']) {
        const client = await dial(Calls);
        client.send(`${line}\n`);
        await turns();
        client.destroy();
        await turns(10);
      }
      expect(journal.entries).to.deep.equal(['called', 'closed', 'called', 'closed']);
    });

    it('others after the end still go to @OnError, and its answer is dropped', async () => {
      const late = deferred();
      @Connection({ framing: lines() })
      class Late {
        @OnData() async data() {
          await late.promise;
          throw new Error('a real mistake');
        }
        @OnError() error(error: Error) {
          journal.note(error.message);
          return 'nobody hears this';
        }
        @OnClose() closed() {
          journal.note('closed');
        }
      }
      const client = await dial(Late);
      client.send('x\n');
      await turns();
      client.destroy();
      await turns();
      late.resolve();
      await journal.has('closed');
      expect(journal.entries).to.deep.equal(['a real mistake', 'closed']);
    });
  });

  describe('in any hook', () => {
    const Topic = channel<string>('errors');
    const failures = {
      throws: (): never => {
        throw new Error('hook failed');
      },
      rejects: (): Promise<never> => Promise.reject(new Error('hook failed')),
      'never settles': (): Promise<never> => new Promise(() => {}),
    };
    const hooks = ['OnConnect', 'OnData', 'OnChannel', 'OnDrain', 'OnIdle', 'OnEnd', 'OnError', 'OnShutdown', 'OnClose', 'After'] as const;
    const decorators = {
      OnConnect,
      OnDrain,
      OnIdle,
      OnEnd,
      OnError,
      OnShutdown,
      OnClose,
      OnData,
      After: () => After('1s'),
      OnChannel: () => OnChannel(Topic),
    };

    /** Makes every hook of the connection happen. */
    async function provoke(client: WireClient): Promise<void> {
      await turns();
      kit.core.channels.face(Topic).publish('item');
      client.transport.pause();
      client.send('flood\n');
      await turns(10);
      client.transport.resume();
      await clock.advance('2s');
      client.send('bad\n');
      await turns();
      client.end();
      await clock.advance('10s');
    }

    for (const hook of hooks) {
      for (const [how, fail] of Object.entries(failures)) {
        it(`@${hook} that ${how} touches neither other connections nor the reactor`, async () => {
          class Fails {
            constructor(readonly peer: Peer) {}
            hook(): unknown {
              return fail();
            }
            data(line: string): unknown {
              if (line === 'bad') throw new Error('bad');
              return 'x'.repeat(200_000);
            }
          }
          const { prototype } = Fails;
          decorators[hook]()(prototype, 'hook', Object.getOwnPropertyDescriptor(prototype, 'hook')!);
          // Behind an @OnData that takes everything it would be a mistake.
          if (hook !== 'OnData') OnData(z.string())(prototype, 'data', Object.getOwnPropertyDescriptor(prototype, 'data')!);
          Reflect.defineMetadata('design:paramtypes', [Peer], Fails);
          Connection({ framing: lines({ maxLength: '1mb' }), idleTimeout: '1s', highWaterMark: '1kb', allowHalfOpen: hook === 'OnEnd' })(
            Fails,
          );

          @Connection({ framing: lines() })
          class Neighbour {
            @OnData() data(line: string) {
              return line;
            }
          }
          const failing = await kit.listen(Fails);
          const neighbour = await dial(Neighbour);
          await provoke(await WireClient.connect(failing.address.url));
          neighbour.send('alive\n');
          await neighbour.reads('alive\n');
          const again = await WireClient.connect(failing.address.url);
          await turns();
          expect(again.error).to.equal(undefined);
          void kit.core.drain();
          await clock.advance('10s');
          again.destroy();
          await turns();
          kit.core.destroy();
          await clock.advance('10s');
          expect(kit.reactor.connections().count).to.equal(0);
          // One whose @OnClose never settles is not forgotten: the application's deadline ends that wait.
          if (hook === 'OnClose' && how === 'never settles') kit = rig();
        });
      }
    }
  });
});
