/** Classes of the messages that a built-in framing gives to `@OnData`. Shared by copies of the package. */
const KINDS: WeakMap<object, MessageClass> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.message-classes')] ??=
  new WeakMap()) as WeakMap<object, MessageClass>;

export type MessageClass = StringConstructor | ObjectConstructor | typeof Buffer;

/** Notes what messages of a framing are. A framing of one's own, or a changed copy of a built-in one, is not known. */
export function withMessagesOf<F extends object>(messages: MessageClass, framing: F): F {
  KINDS.set(framing, messages);
  return framing;
}

/** The kind of messages that a framing delivers; undefined: not known. */
export function messagesOf(framing: object): MessageClass | undefined {
  return KINDS.get(framing);
}
