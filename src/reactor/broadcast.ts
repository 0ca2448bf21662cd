import type { Chunk, Framing } from '../framing/framing.js';
import { sharedText } from '../framing/shared-text.js';
import type { SharedMessage } from '../session/outbound/buffer-budget.js';
import { encodeMessage } from '../session/outbound/encode.js';
import type { Session } from '../session/session.js';

/** Messages of fewer bytes are copied for each connection: that costs less than a piece of memory by itself in each of its writes. */
const SHARED = 4 * 1024;

interface Encoded {
  readonly message: Chunk | readonly Chunk[];
  readonly shared?: SharedMessage;
}

/** One message in one piece of memory that all connections send from, so that many slow readers cost what one does. */
function shareable(message: Chunk | readonly Chunk[]): Encoded {
  const chunks = typeof message === 'string' || message instanceof Uint8Array ? [message] : message;
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  if (size < SHARED) return { message };
  const whole = inOnePiece(chunks);
  return { message: whole, shared: { bytes: whole.length, holders: 0 } };
}

/** As a transport of whole messages sees it: text, unless a part of it is bytes. */
function inOnePiece(chunks: readonly Chunk[]): Uint8Array {
  if (chunks.every(chunk => typeof chunk === 'string')) return sharedText(chunks.join(''));
  const [only] = chunks;
  if (chunks.length === 1) return only as Uint8Array;
  return Buffer.concat(chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
}

/**
 * Sends one message to many connections; a slow one keeps no other waiting. It is encoded once for all that have the same framing.
 * @throws EncodeError
 */
export function broadcast(sessions: Iterable<Session>, message: unknown): void {
  const encodings = new Map<Framing<unknown, unknown>, Encoded>();
  for (const session of sessions) {
    if (!session.state.isOpen) continue;
    const { framing } = session;
    let found = encodings.get(framing);
    if (!found) encodings.set(framing, (found = shareable(encodeMessage(framing, message, session.settings.plan.name))));
    session.sendEncoded(found.message);
    if (found.shared) session.sendBuffer.noteShared(found.shared);
  }
}
