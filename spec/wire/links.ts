import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { duplexPair } from '../../src/wire/link/duplex-pair.js';
import { openLink } from '../../src/wire/link/link.js';
import type { Link } from '../../src/wire/link/types.js';
import { Ear } from './ear.js';
import { FakeStream } from './fake-stream.js';

export const MB = 1024 * 1024;

/** A link over a stream without another side. */
export function alone(maxMessageSize = 0): { stream: FakeStream; ear: Ear; link: Link } {
  const stream = new FakeStream();
  const ear = new Ear();
  return { stream, ear, link: openLink(stream, ear, { maxMessageSize }) };
}

/** Two links that speak to each other. */
export function pair(maxMessageSize = 0): { ours: Link; theirs: Link; us: Ear; them: Ear; streams: [Duplex, Duplex] } {
  const streams = duplexPair();
  const [us, them] = [new Ear(), new Ear()];
  return { ours: openLink(streams[0], us, { maxMessageSize }), theirs: openLink(streams[1], them, { maxMessageSize }), us, them, streams };
}

/** The bytes that a link writes for some messages. */
export async function written(send: (link: Link) => void): Promise<Buffer> {
  const { stream, link } = alone();
  send(link);
  link.end();
  await once(stream, 'finish');
  link.destroy();
  return Buffer.concat(stream.taken);
}

export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
