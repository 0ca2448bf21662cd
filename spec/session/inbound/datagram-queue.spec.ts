import { expect } from 'chai';
import type { Remote } from '../../../src/endpoints/endpoint.js';
import type { Framing } from '../../../src/framing/framing.js';
import { lines } from '../../../src/framing/lines.js';
import { raw } from '../../../src/framing/raw.js';
import { DatagramQueue } from '../../../src/session/inbound/datagram-queue.js';

const at = (port: number, address = '127.0.0.1'): Remote => ({ url: `udp://${address}:${port}`, address, port });
const COST = 256;

describe('datagrams that wait', () => {
  const drain = (datagrams: DatagramQueue): string[] => {
    const all: string[] = [];
    for (let message = datagrams.next(); message !== undefined; message = datagrams.next())
      all.push(`${datagrams.from?.port} ${String(message)}`);
    return all;
  };
  const put = (datagrams: DatagramQueue, port: number, ...texts: readonly string[]): void => {
    for (const text of texts) datagrams.push(Buffer.from(text), at(port));
  };

  it('are read in the order of their sender, and senders take turns', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, Infinity);
    put(datagrams, 1, 'a', 'b', 'c');
    put(datagrams, 2, 'd');
    put(datagrams, 3, 'e', 'f');
    expect(drain(datagrams)).to.deep.equal(['1 a', '2 d', '3 e', '1 b', '3 f', '1 c']);
    expect(datagrams.weight).to.equal(0);
  });

  it('are never more than there is room for: the sender with most waiting loses its newest', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, 4 * (COST + 1));
    put(datagrams, 1, 'a', 'b', 'c', 'd', 'lost');
    put(datagrams, 2, 'e', 'f');
    expect(datagrams.weight).to.equal(4 * (COST + 1));
    expect(drain(datagrams)).to.deep.equal(['1 a', '2 e', '1 b', '2 f']);
  });

  it('among many that have one each, a newcomer does not push out another', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, 3 * (COST + 1));
    for (const port of [1, 2, 3, 4, 5]) put(datagrams, port, 'x');
    expect(drain(datagrams)).to.deep.equal(['1 x', '2 x', '3 x']);
  });

  it('from many ports of one address share its turn and its room', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, 6 * (COST + 1));
    for (let port = 1; port <= 50; port++) put(datagrams, port, 'x');
    datagrams.push(Buffer.from('a'), at(1, '10.0.0.1'));
    for (let port = 51; port <= 100; port++) put(datagrams, port, 'x');
    datagrams.push(Buffer.from('b'), at(1, '10.0.0.1'));
    datagrams.push(Buffer.from('c'), at(2, '10.0.0.2'));
    const read: string[] = [];
    for (let message = datagrams.next(); message !== undefined; message = datagrams.next())
      read.push(`${datagrams.from?.address} ${String(message)}`);
    // The second of 10.0.0.1 comes after one more of the flood, which has lost the rest of its room to the others.
    expect(read).to.deep.equal(['127.0.0.1 x', '10.0.0.1 a', '10.0.0.2 c', '127.0.0.1 x', '10.0.0.1 b', '127.0.0.1 x']);
  });

  it('from one /64 of IPv6 count as one address', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, 4 * (COST + 1));
    for (let host = 1; host <= 20; host++) datagrams.push(Buffer.from('x'), at(1, `2001:db8::${host}`));
    for (const text of ['a', 'b']) datagrams.push(Buffer.from(text), at(1, '2001:db8:0:1::1'));
    const read = drain(datagrams);
    expect(read.filter(message => message !== '1 x')).to.deep.equal(['1 a', '1 b']);
  });

  it('one that is larger than the room is taken when nothing else waits', () => {
    const datagrams = new DatagramQueue(raw(), Infinity, 10);
    put(datagrams, 1, 'x'.repeat(100));
    expect(drain(datagrams)).to.have.length(1);
  });

  it('one that cannot be read throws, and the next call goes on behind it', () => {
    const datagrams = new DatagramQueue(lines(), 3, Infinity);
    put(datagrams, 1, 'too long', 'ok');
    expect(() => datagrams.next())
      .to.throw()
      .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
    expect(datagrams.from?.port).to.equal(1);
    expect(drain(datagrams)).to.deep.equal(['1 ok']);
  });

  it('a framing without a whole variant must find whole messages in each', () => {
    const { whole: _, ...stream } = lines({ delimiter: ';' });
    const strict: Framing<string> = {
      ...stream,
      decoder: limit => {
        const { end: _end, ...decoder } = bound(stream.decoder(limit));
        return decoder;
      },
    };
    const datagrams = new DatagramQueue(strict, Infinity, Infinity);
    put(datagrams, 1, 'a;b;', '', 'c;half', 'd;');
    expect([datagrams.next(), datagrams.next(), datagrams.next()]).to.deep.equal(['a', 'b', 'c']);
    expect(() => datagrams.next())
      .to.throw()
      .with.property('code', 'ERR_PACKET_FRAMING_TRUNCATED');
    expect(datagrams.next()).to.equal('d');
  });
});

/** Its methods as functions, so that one can be left out. */
function bound(decoder: ReturnType<Framing<string>['decoder']>) {
  return {
    push: (chunk: Buffer) => decoder.push(chunk),
    next: () => decoder.next(),
    end: () => decoder.end?.(),
    rest: () => decoder.rest(),
  };
}
