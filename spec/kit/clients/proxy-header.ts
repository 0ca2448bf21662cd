import { isIPv6 } from 'node:net';

/** One end of a proxied connection. */
export interface End {
  readonly address: string;
  readonly port: number;
}

function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const between = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0');
  return Buffer.from([...first, ...between, ...last].map(group => group.padStart(4, '0')).join(''), 'hex');
}

/** Version 1, as HAProxy writes it. */
export function proxyLine(from: End, to: End): string {
  return `PROXY TCP${isIPv6(from.address) ? 6 : 4} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`;
}

/** Any header of version 2. */
export function proxyHeader(versionAndCommand: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
  head[12] = versionAndCommand;
  head[13] = family;
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}

/** Version 2 for TCP, with more behind the addresses if there is. */
export function proxyBinary(from: End, to: End, more: Buffer = Buffer.alloc(0)): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  const family = isIPv6(from.address) ? 0x21 : 0x11;
  return proxyHeader(0x21, family, Buffer.concat([bytesOf(from.address), bytesOf(to.address), ports, more]));
}

/** One more thing that a proxy tells of. */
export function tlv(type: number, value: string | Buffer): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(Buffer.byteLength(value), 1);
  return Buffer.concat([head, Buffer.from(value)]);
}
