import { expect } from 'chai';
import { Connection, OnClose, OnData, type CloseReason } from 'packet-ts';
import { headerAndBody, json, type Decoder, type Framing } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { waitFor, type TcpClient } from '../../kit/index.js';
import { House } from '../support/house.js';

const BLANK = Buffer.from('\n'.repeat(16 * 1024));
const HERE = 'tcp://127.0.0.1:0';

let closed: string[] = [];

describe('bytes that never make a message', () => {
  beforeEach(() => (closed = []));

  const serve = async (
    framing: Framing<unknown, unknown>,
    options: object = {},
  ): Promise<{ house: House; client: TcpClient; cls: Ctor }> => {
    @Connection({ listen: HERE, framing, ...options })
    class Patient {
      @OnData() data(message: unknown): unknown {
        return message;
      }
      @OnClose() over({ by, code }: CloseReason): void {
        closed.push(`${by} ${code}`);
      }
    }
    const house = await House.open([Patient]);
    return { house, client: await house.connect(Patient), cls: Patient };
  };
  /** Sends blank lines until the server ends the connection, or they are 64 MB. */
  const flood = async (client: TcpClient): Promise<void> => {
    for (let sent = 0; !client.inbox.ended && sent < 64 * 1024 * 1024; sent += BLANK.length) {
      // What is written to a connection that closes meanwhile is what this is about.
      await client.send(BLANK).catch(() => client.closed);
    }
    expect(client.inbox.ended).to.equal(true);
    await client.destroy();
    await waitFor(() => closed.length > 0);
  };

  const framings: readonly (readonly [string, Framing<unknown, unknown>, string, string])[] = [
    ['json()', json(), '{"id":1}\n', '{"id":1}\n'],
    ['headerAndBody()', headerAndBody(), 'A: b\nContent-Length: 0\n\n', 'a: b\r\ncontent-length: 0\r\n\r\n'],
  ];
  for (const [name, framing, message, answer] of framings) {
    it(`end the connection when they are more than maxMessageSize (${name})`, async () => {
      const { house, client } = await serve(framing, { maxMessageSize: '128kb' });
      await flood(client);
      expect(closed).to.deep.equal(['error ERR_PACKET_FRAMING_TOO_LARGE']);
      await house.servesOthers();
    });

    it(`count as a message for rateLimit whenever they are read (${name})`, async () => {
      const { house, client } = await serve(framing, {
        maxMessageSize: 0,
        rateLimit: { messages: 5, per: '1h', burst: 5, beyond: 'close' },
      });
      await flood(client);
      expect(closed).to.deep.equal(['limit rateLimit']);
      await house.servesOthers();
    });

    it(`are free as signs of life between messages (${name})`, async () => {
      const { client } = await serve(framing, { maxMessageSize: '1kb' });
      for (let i = 0; i < 5; i++) {
        // Together more than may be passed over at once.
        await client.send(Buffer.concat([BLANK, Buffer.from(message)]));
        expect(String(await client.bytes(answer.length))).to.equal(answer);
      }
      expect(closed).to.deep.equal([]);
    });
  }

  it('of a framing of your own that tells `pending` are counted likewise', async () => {
    class Comments implements Decoder<string> {
      readonly pending = 0;
      push(): void {}
      next(): undefined {}
      rest(): Buffer {
        return Buffer.alloc(0);
      }
    }
    const { house, client } = await serve({ decoder: () => new Comments(), encode: String });
    await flood(client);
    expect(closed).to.deep.equal(['error ERR_PACKET_FRAMING_TOO_LARGE']);
    await house.servesOthers();
  });

  it('a search that takes long goes on in later turns, and others are served in between', async () => {
    let looks = 0;
    let turnsOfOthers = 0;
    class Slow implements Decoder<string> {
      #bytes = Buffer.alloc(0);
      push(chunk: Buffer): void {
        this.#bytes = Buffer.concat([this.#bytes, chunk]);
      }
      search(): boolean {
        if (this.#bytes.length === 0) return true;
        setImmediate(() => turnsOfOthers++);
        return ++looks > 20;
      }
      next(): string | undefined {
        const text = this.#bytes.toString();
        this.#bytes = Buffer.alloc(0);
        return text === '' ? undefined : text;
      }
      rest(): Buffer {
        return this.#bytes;
      }
    }
    const { client } = await serve({ decoder: () => new Slow(), encode: String });
    await client.send('found');
    expect(String(await client.bytes(5))).to.equal('found');
    expect(looks).to.equal(21);
    expect(turnsOfOthers).to.be.at.least(20);
  });
});
