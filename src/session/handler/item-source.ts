import { setImmediate } from '../../system-timers.js';
import { ChannelFace } from '../../channels/channel.js';

/** Items asked for one by one, until there are no more or the consumer has left. */
export interface ReplySource {
  next(): Promise<IteratorResult<unknown, unknown>>;
  /** Lets go of the source at once, also while an item is awaited. Settles when the source has let go, which may be never. */
  release(): Promise<unknown>;
  /** Its items come from elsewhere (a stream, a channel): while it has none, no handler is at work. */
  readonly isPassive?: true;
}

/** The parts of a web stream that matter here. */
interface WebStream {
  getReader(): { read(): Promise<{ done: boolean; value?: unknown }>; cancel(): Promise<void> };
}

/** The parts of a Node stream that matter here. */
interface NodeStream extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/** A source that can be told that its items are read no more. */
export interface Cancellable {
  cancel(): Promise<void>;
}

function hasMethods(value: object, ...names: readonly string[]): boolean {
  return names.every(name => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
}

function isWebStream(items: object): items is WebStream {
  return hasMethods(items, 'getReader', 'cancel');
}

function isNodeStream(items: object): items is NodeStream {
  return hasMethods(items, 'on', 'pipe', 'destroy');
}

/**
 * Cancels a web stream, or its reader, in the next turn of the event loop; an error in doing so is dropped.
 * Not in this turn: a stream of `Readable.toWeb()` on Node before 26 that is read and cancelled in one turn throws an uncaught
 * "Controller is already closed" in the next.
 */
export function cancelSoon(source: Cancellable): Promise<void> {
  return new Promise(resolve => {
    setImmediate(() => {
      source.cancel().then(resolve, () => resolve());
    });
  });
}

function fromWebStream(stream: WebStream): ReplySource {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown, unknown>>,
    release: () => cancelSoon(reader),
    isPassive: true,
  };
}

/** The iterator of a Node stream notices `return()` at its next item only, and not at all before its first one. */
function fromNodeStream(stream: NodeStream): ReplySource {
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    release: async () => {
      stream.on('error', () => {});
      stream.destroy();
    },
    isPassive: true,
  };
}

/**
 * Reads what a handler returned to be sent item by item: a web stream, a Node stream, or any other async iterable.
 * @throws TypeError for a web stream that is locked to another reader; anything that the iterable throws.
 */
export function itemSourceOf(items: AsyncIterable<unknown>): ReplySource {
  if (isWebStream(items)) return fromWebStream(items);
  if (isNodeStream(items)) return fromNodeStream(items);
  const iterator = items[Symbol.asyncIterator]();
  const source = { next: () => iterator.next(), release: async () => iterator.return?.() };
  return items instanceof ChannelFace ? { ...source, isPassive: true } : source;
}
