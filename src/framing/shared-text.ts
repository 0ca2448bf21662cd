/** Bytes that are a text message: where text and binary messages differ, as on websockets, they are sent as text. */
const TEXTS = new WeakSet<Uint8Array>();

/** The UTF-8 bytes of a text message, to be sent to many peers from one piece of memory. */
export function sharedText(text: string): Buffer {
  const bytes = Buffer.from(text);
  TEXTS.add(bytes);
  return bytes;
}

/** Whether a message is text: a string, or the bytes of one. */
export function isText(message: Uint8Array | string): boolean {
  return typeof message === 'string' || TEXTS.has(message);
}
