import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { ProxyProtocolError } from '../../errors.js';

/** One end of a connection, as a proxy tells of it: an address and a port, or the path of a unix socket. */
export interface ProxyPlace {
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
}

/** A PROXY header: it stands before the first byte of the client. */
export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** Undefined: the proxy speaks for itself (a health check), or does not know. */
  readonly client: { readonly source: ProxyPlace; readonly destination: ProxyPlace } | undefined;
}

/** Version 1 is one line, at most so long with its end. */
const LONGEST_LINE = 107;
/** Version 2 may carry more than addresses: what else proxies tell of fits here many times over. */
const LONGEST_HEADER = 4096;

const LINE_START = Buffer.from('PROXY ');
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED = 16;
const LF = 10;
const PORT = /^(?:0|[1-9]\d{0,4})$/;

const LOCAL = 0;
const PROXY = 1;
/** Families of version 2; between INET and UNIX is INET6. */
const UNSPECIFIED = 0;
const INET = 1;
const UNIX = 3;
/** Bytes of their addresses. */
const SIZES = [0, 12, 36, 216];
const PATH_SIZE = 108;

/** Whether bytes may still become something that begins like this. */
function begins(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

/**
 * Reads the header of a proxy from the first bytes of a connection: version 1 or 2 of the PROXY protocol.
 * @returns undefined: more bytes are needed.
 * @throws ProxyProtocolError as soon as they cannot become one.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (begins(bytes, LINE_START)) return parseLine(bytes);
  if (begins(bytes, SIGNATURE)) return parseBinary(bytes);
  throw new ProxyProtocolError('the connection does not begin with a PROXY header');
}

function parseLine(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(LF);
  if (end < 0) {
    if (bytes.length < LONGEST_LINE) return undefined;
    throw new ProxyProtocolError(`a PROXY line has at most ${LONGEST_LINE} bytes`);
  }
  const line = bytes.toString('latin1', 0, end + 1);
  const length = end + 1;
  // The rest of the line behind UNKNOWN is to be ignored, says the protocol.
  if (/^PROXY UNKNOWN(?: [^\n]*)?\r\n$/.test(line)) return { length, client: undefined };
  const [, family, from, to, fromPort, toPort] = /^PROXY (TCP4|TCP6) (\S+) (\S+) (\S+) (\S+)\r\n$/.exec(line) ?? [];
  if (family === undefined) throw new ProxyProtocolError('the PROXY line is not written as one');
  return { length, client: { source: written(family, from!, fromPort!), destination: written(family, to!, toPort!) } };
}

function written(family: string, address: string, port: string): ProxyPlace {
  const fits = family === 'TCP4' ? isIPv4(address) : isIPv6(address) && !address.includes('%');
  if (!fits) throw new ProxyProtocolError(`the PROXY line has an address that is none of ${family}`);
  if (!PORT.test(port) || Number(port) > 65_535) throw new ProxyProtocolError('the PROXY line has a port that is none');
  return { address: canonical(address, family === 'TCP4' ? 'ipv4' : 'ipv6'), port: Number(port) };
}

/** Written in one way only, as Node writes addresses: they are counted and compared. */
function canonical(address: string, family: 'ipv4' | 'ipv6'): string {
  return new SocketAddress({ address, family }).address;
}

function parseBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < FIXED) return undefined;
  const version = bytes[12]! >> 4;
  const command = bytes[12]! & 15;
  const family = bytes[13]! >> 4;
  const length = FIXED + bytes.readUInt16BE(14);
  if (version !== 2 || command > PROXY)
    throw new ProxyProtocolError(`a PROXY header of version ${version} with command ${command} is unknown`);
  if (length > LONGEST_HEADER) throw new ProxyProtocolError(`the PROXY header has ${length} bytes, and ${LONGEST_HEADER} are the most`);
  if (command === PROXY) {
    const size = SIZES[family];
    if (size === undefined || (bytes[13]! & 15) > 2) throw new ProxyProtocolError(`the PROXY header has addresses of an unknown kind`);
    if (length < FIXED + size) throw new ProxyProtocolError('the PROXY header is too short for its addresses');
  }
  if (bytes.length < length) return undefined;
  if (command === LOCAL || family === UNSPECIFIED) return { length, client: undefined };
  return { length, client: family === UNIX ? paths(bytes) : addresses(bytes, family) };
}

function addresses(bytes: Buffer, family: number): ProxyHeader['client'] {
  const size = family === INET ? 4 : 16;
  const ports = FIXED + 2 * size;
  const place = (at: number, port: number): ProxyPlace => ({
    address: address(bytes.subarray(at, at + size)),
    port: bytes.readUInt16BE(port),
  });
  return { source: place(FIXED, ports), destination: place(FIXED + size, ports + 2) };
}

function address(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return canonical(bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:'), 'ipv6');
}

function paths(bytes: Buffer): ProxyHeader['client'] {
  const place = (at: number): ProxyPlace => {
    const field = bytes.subarray(at, at + PATH_SIZE);
    const end = field.indexOf(0);
    return { path: field.toString('utf8', 0, end < 0 ? PATH_SIZE : end) };
  };
  return { source: place(FIXED), destination: place(FIXED + PATH_SIZE) };
}
