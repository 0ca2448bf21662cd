import { expect } from 'chai';
import { bootstrap, ConfigurationError, Connection, Module, OnData, Proxy, Worker, WorkerProxy } from 'packet-ts';
import { delimited, headerAndBody, json, lengthPrefixed, lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { z } from 'zod';

/** What bootstrap says of a module; undefined: nothing. */
async function told(module: new () => object): Promise<string | undefined> {
  try {
    await (await bootstrap(module, { logger: false, signals: false })).close();
    return undefined;
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError);
    return (error as ConfigurationError).message;
  }
}

function serving(...connections: (abstract new () => object)[]): new () => object {
  @Module({ connections })
  class AppModule {}
  return AppModule;
}

const port = 'tcp://127.0.0.1:0' as const;

describe('a method that would never run is told at bootstrap', () => {
  it('as a second @OnRequest', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Site {
      @OnRequest() page(): Response {
        return new Response('page');
      }
      @OnRequest() other(): Response {
        return new Response('other');
      }
    }
    expect(await told(serving(Site))).to.match(/^Site\.other: a second @OnRequest is never called: page\(\) answers every request/);
  });

  it('as an @OnData behind one without a schema', async () => {
    @Connection({ listen: port, framing: json() })
    class Behind {
      @OnData() all(): void {}
      @OnData(z.string()) text(): void {}
      @OnData() again(): void {}
    }
    const message = await told(serving(Behind));
    expect(message).to.include('Behind.text: @OnData is never reached: all() stands before it, has no schema and takes every message');
    expect(message).to.include('Behind.again: @OnData is never reached');
  });

  it('in the mailbox of a worker, and in a proxy', async () => {
    @Proxy()
    class Face extends WorkerProxy<object> {
      @OnData() one(): void {}
      @OnData() two(): void {}
    }
    @Worker('never_ran', { timeout: '1s', proxy: () => Face as never })
    class Post {
      @OnData() first(): void {}
      @OnData(z.number()) second(): void {}
    }
    @Module({ workers: [Post] })
    class AppModule {}
    const message = await told(AppModule);
    expect(message).to.include('Post.second: @OnData is never reached: first()');
    expect(message).to.include('Face.two: @OnData is never reached: one()');
  });

  it('but not where a schema leaves something for the next, or a subclass takes the place of its base', async () => {
    class Base {
      @OnData() all(): void {}
    }
    @Connection({ listen: port, framing: json() })
    class Fine extends Base {
      @OnData(z.string()) text(): void {}
      @OnData(z.number()) number(): void {}
      @OnData() rest(): void {}
    }
    expect(await told(serving(Fine))).to.equal(undefined);
  });
});

describe('a message that is declared as something else than what comes is told at bootstrap', () => {
  it('as a string without a framing', async () => {
    @Connection({ listen: port })
    class Echo {
      @OnData() echo(line: string): string {
        return line;
      }
    }
    expect(await told(serving(Echo))).to.match(
      /^Echo\.echo: its message is declared as String, and without `framing:` a message is a Buffer \('tcp:\/\/127\.0\.0\.1:0'\)\. write framing: lines\(\)/,
    );
  });

  it('as bytes with lines(), a string with a framing of bytes, and a number with either', async () => {
    @Connection({ listen: port, framing: lines() })
    class Bytes {
      @OnData() take(bytes: Buffer): Buffer {
        return bytes;
      }
    }
    @Connection({ listen: port, framing: lengthPrefixed() })
    class Text {
      @OnData() take(text: string): string {
        return text;
      }
    }
    @Connection({ listen: port, framing: delimited('\0') })
    class Count {
      @OnData() take(count: number): string {
        return String(count);
      }
    }
    @Connection({ listen: port, framing: headerAndBody() })
    class Whole {
      @OnData() take(all: string): void {
        void all;
      }
    }
    const message = await told(serving(Bytes, Text, Count, Whole));
    expect(message).to.include('Bytes.take: its message is declared as Buffer, and its framing gives a string');
    expect(message).to.include('Text.take: its message is declared as String, and its framing gives a Buffer');
    expect(message).to.include('Count.take: its message is declared as Number, and its framing gives a Buffer');
    expect(message).to.include('Whole.take: its message is declared as String, and its framing gives an object');
  });

  it('but not where it fits, where a schema makes something of it, and where nobody knows', async () => {
    const own = { ...lines(), decoder: json().decoder };
    @Connection({ listen: [port, { url: port, framing: lengthPrefixed() }] })
    class Bytes {
      @OnData() take(bytes: Uint8Array): Uint8Array {
        return bytes;
      }
    }
    @Connection({ listen: port })
    class Parsed {
      @OnData(z.instanceof(Buffer).transform(String)) take(text: string): string {
        return text;
      }
    }
    @Connection({ listen: port, framing: json() })
    class Json {
      @OnData() take(count: number): number {
        return count;
      }
    }
    @Connection({ listen: port, framing: own as never })
    class Own {
      @OnData() take(list: unknown[]): void {
        void list;
      }
    }
    @Connection({ listen: 'ws://127.0.0.1:0/chat' })
    class Socket {
      @OnData() take(text: string): string {
        return text;
      }
    }
    @Connection({ listen: port })
    class Any {
      @OnData() take(message: string | Buffer): void {
        void message;
      }
    }
    expect(await told(serving(Bytes, Parsed, Json, Own, Socket, Any))).to.equal(undefined);
  });
});
