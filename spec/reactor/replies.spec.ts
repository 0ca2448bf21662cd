import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnData, OnError, OnIdle, OnShutdown } from '../../src/decorators/connection/connection-hooks.js';
import type { About } from '../../src/decorators/hook-types.js';
import { json } from '../../src/framing/json.js';
import { lines } from '../../src/framing/lines.js';
import { Peer } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('replies', () => {
  let kit: Rig;
  let clock: FakeClock;
  beforeEach(() => (kit = rig((clock = new FakeClock()))));
  afterEach(() => kit.close());

  const dial = async (cls: Parameters<Rig['listen']>[0], options = {}): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, undefined, options)).address.url);

  it('undefined sends nothing; null, strings, arrays, objects and numbers are one message each', async () => {
    const values: unknown[] = [undefined, null, 'text', [1, [2]], { a: 1 }, 7, false];
    @Connection({ framing: json() })
    class Values {
      @OnData() data(n: number) {
        return values[n];
      }
    }
    const client = await dial(Values);
    client.send(values.map((_, n) => `${n}\n`).join(''));
    await client.reads('false\n');
    expect(client.text).to.equal('null\n"text"\n[1,[2]]\n{"a":1}\n7\nfalse\n');
  });

  it('a promise is sent when it settles, in the same place', async () => {
    const later = deferred<string>();
    @Connection({ framing: lines() })
    class Later {
      @OnData() data(line: string): unknown {
        return line === 'later' ? later.promise : line;
      }
    }
    const client = await dial(Later);
    client.send('later\nafter\n');
    await turns();
    expect(client.text).to.equal('');
    later.resolve('now');
    await client.reads('now\nafter\n');
  });

  it('buffers are one message on raw framing', async () => {
    @Connection()
    class Raw {
      @OnData() data(bytes: Buffer) {
        return Buffer.concat([bytes, Buffer.from('!')]);
      }
    }
    const client = await dial(Raw);
    client.send('hello');
    await client.reads('hello!');
  });

  it('what @OnConnect, @OnIdle, @OnError and @OnShutdown return is sent', async () => {
    @Connection({ framing: lines(), idleTimeout: '1s' })
    class Talkative {
      @OnConnect() connected() {
        return 'welcome';
      }
      @OnData() data(): never {
        throw new Error('no');
      }
      @OnError() error(error: Error) {
        return error.message;
      }
      @OnIdle() idle() {
        return 'idle';
      }
      @OnShutdown() async shutdown() {
        await turns(1);
        return 'goodbye';
      }
    }
    const client = await dial(Talkative);
    client.send('x\n');
    await client.reads('welcome\nno\n');
    await clock.advance('1s');
    await client.reads('idle\n');
    const drained = kit.core.drain();
    client.end();
    await client.readsAll();
    await drained;
    expect(client.text).to.equal('welcome\nno\nidle\ngoodbye\n');
  });

  it('one turn leaves in one write', async () => {
    @Connection({ framing: lines() })
    class Echo {
      constructor(private readonly peer: Peer) {}
      @OnData() data(line: string) {
        this.peer.send(`sent ${line}`);
        return line;
      }
    }
    const { address } = await kit.listen(Echo);
    const client = await WireClient.connect(address.url);
    let deliveries = 0;
    const { data } = client;
    client.data = chunk => {
      deliveries++;
      data.call(client, chunk);
    };
    client.send('a\nb\nc\n');
    await client.reads('sent a\na\nsent b\nb\nsent c\nc\n');
    expect(deliveries).to.equal(1);
  });

  describe('an async iterable', () => {
    it('is sent item by item, and the next message waits for its end', async () => {
      @Connection({ framing: lines() })
      class Streams {
        @OnData() async *data(line: string) {
          yield `${line}1`;
          await turns(2);
          yield `${line}2`;
        }
      }
      const client = await dial(Streams);
      client.send('a\nb\n');
      await client.reads('a1\na2\nb1\nb2\n');
    });

    it('is asked only as fast as the peer reads', async () => {
      let made = 0;
      @Connection({ framing: lines() })
      class Endless {
        @OnData() async *data() {
          for (;;) {
            made++;
            yield 'x'.repeat(1023);
          }
        }
      }
      const { address } = await kit.listen(Endless);
      const client = await WireClient.connect(address.url);
      client.send('go\n');
      await client.reads('x');
      client.transport.pause();
      await turns(100);
      const then = made;
      await turns(100);
      expect(made).to.equal(then);
      client.transport.resume();
      const read = client.length;
      await client.when(() => client.length > read + 500_000);
      expect(made).to.be.lessThan(client.length / 1024 + 64 + 64 + 64 + 2);
    });

    it('has its return() called when the connection closes, also while it is waiting', async () => {
      const journal = new Journal();
      let asked = (): void => {};
      const waits = new Promise<void>(resolve => (asked = resolve));
      const never = (): Promise<never> => {
        asked();
        return new Promise(() => {});
      };
      @Connection({ framing: lines() })
      class Waiting {
        @OnData() data(line: string): AsyncIterable<string> {
          return {
            [Symbol.asyncIterator]: () => ({
              next: () => (line === 'wait' ? never() : turns(1).then(() => ({ done: false as const, value: 'tick' }))),
              return: async () => {
                journal.note(`return ${line}`);
                return { done: true as const, value: undefined };
              },
            }),
          };
        }
      }
      for (const line of ['wait', 'tick']) {
        const client = await dial(Waiting);
        client.send(`${line}\n`);
        if (line === 'tick') await client.reads('tick\ntick\n');
        else await waits;
        client.destroy();
        await journal.has(`return ${line}`);
      }
      await clock.advance('5s');
      expect(journal.entries).to.deep.equal(['return wait', 'return tick']);
    });

    it('that throws takes its error to @OnError after the items before', async () => {
      @Connection({ framing: lines() })
      class Breaks {
        @OnData() async *data() {
          yield 'one';
          throw new Error('broken');
        }
        @OnError() error(error: Error) {
          return error.message;
        }
      }
      const client = await dial(Breaks);
      client.send('x\nx\n');
      await client.reads('one\nbroken\none\nbroken\n');
    });

    it('may be what a promise gives, and what @OnError answers', async () => {
      async function* two(name: string) {
        yield `${name}1`;
        yield `${name}2`;
      }
      @Connection({ framing: lines() })
      class Both {
        @OnData() async data(line: string) {
          if (line === 'bad') throw new Error(line);
          return two(line);
        }
        @OnError() error(error: Error) {
          return two(error.message);
        }
      }
      const client = await dial(Both);
      client.send('ok\nbad\n');
      await client.reads('ok1\nok2\nbad1\nbad2\n');
    });
  });

  describe('that cannot be encoded', () => {
    it('goes to @OnError, whose answer takes its place', async () => {
      const abouts: About[] = [];
      @Connection({ framing: lines() })
      class Unencodable {
        @OnData() data(line: string): unknown {
          return line === 'bad' ? { not: 'text' } : line;
        }
        @OnError() error(error: Error, about: About) {
          abouts.push(about);
          return error.name;
        }
      }
      const client = await dial(Unencodable);
      client.send('bad\ngood\n');
      await client.reads('EncodeError\ngood\n');
      expect(abouts[0]).to.include({ during: 'encode', message: 'bad' });
    });

    it('throws where it is sent', async () => {
      const thrown = deferred<Error>();
      @Connection({ framing: lines() })
      class Sends {
        constructor(private readonly peer: Peer) {}
        @OnData() data() {
          try {
            this.peer.send('two\nlines');
          } catch (error) {
            thrown.resolve(error as Error);
          }
          return 'lives';
        }
      }
      const client = await dial(Sends);
      client.send('x\n');
      const error = await thrown.promise;
      expect(error).to.include({ name: 'EncodeError', handler: 'Sends' });
      expect(error.cause).to.be.instanceOf(Error);
      await client.reads('lives\n');
    });
  });
});
