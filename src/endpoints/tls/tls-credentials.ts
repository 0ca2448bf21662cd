import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Pem, TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { publish } from '../../diagnostics.js';
import { asError, TlsError } from '../../errors.js';
import { systemErrorText } from '../system-errors.js';
import { nodeCrypto, nodeTls } from '../node-modules.js';

/** Certificate, key and authorities, read and found to fit each other. */
export interface TlsMaterial {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

const MIN_VERSION = 'TLSv1.2';
/**
 * Node's ciphers, without those of TLS 1.2 whose recorded sessions can be decrypted once the key leaks: RSA key exchange has no forward
 * secrecy.
 */
const forwardSecret = (): string => `${nodeTls().DEFAULT_CIPHERS}:!kRSA`;
/** Begun anew in mid-stream, a session of TLS 1.2 costs the server and proves nothing. */
const withoutRenegotiation = (): number => nodeCrypto().constants.SSL_OP_NO_RENEGOTIATION;

function listOf<T>(written: T | readonly T[] | undefined): readonly T[] {
  if (written === undefined) return [];
  return Array.isArray(written) ? (written as readonly T[]) : [written as T];
}

/** A PEM as Node takes it, where it need not be read first. */
function inline(pem: Exclude<Pem, URL>): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

/** Throws what names the option and the file. */
async function readFrom(file: URL, option: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`${option} names the file ${file.protocol === 'file:' ? fileURLToPath(file) : file.href}: ${systemErrorText(cause)}`, {
      cause,
    });
  }
}

function read(pem: Pem, option: 'cert' | 'key' | 'ca'): string | Buffer | Promise<Buffer> {
  return pem instanceof URL ? readFrom(pem, `tls.${option}`) : inline(pem);
}

/** Throws what OpenSSL says when they do not fit each other. */
function materialOf(
  cert: string | Buffer | undefined,
  key: string | Buffer | undefined,
  ca: readonly (string | Buffer)[],
  minVersion: TlsOptions['minVersion'] = MIN_VERSION,
): TlsMaterial {
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion,
    ciphers: forwardSecret(),
    secureOptions: withoutRenegotiation(),
  };
  // No `ca` is the system's authorities; an empty list would be none.
  if (ca.length > 0) options.ca = [...ca];
  return { options, context: nodeTls().createSecureContext(options) };
}

/** Certificate and key that do not fit each other, in words; undefined where that cannot be said without reading files, or is said elsewhere. */
export function flawOf({ cert, key, ca, minVersion }: TlsOptions): string | undefined {
  const pems = [cert, key, ...listOf(ca)];
  const isReadable = (pem: unknown): pem is Exclude<Pem, URL> | undefined =>
    pem === undefined || pem instanceof Uint8Array || (typeof pem === 'string' && pem.includes('-----BEGIN '));
  if ((cert === undefined) !== (key === undefined) || !pems.every(isReadable)) return undefined;
  const [first, second, ...rest] = pems.map(pem => pem && inline(pem));
  try {
    materialOf(first || undefined, second || undefined, rest.filter(Boolean) as (string | Buffer)[], minVersion);
    return undefined;
  } catch (error) {
    return systemErrorText(error);
  }
}

/** Which version of a file lies there. */
async function stampOf(file: URL): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return asError(error).message;
  }
}

/** One identity and the authorities it trusts. Files are looked at before each handshake and read again when they have changed. */
export class Credentials {
  readonly #options: TlsOptions;
  readonly #files: readonly URL[];
  /** The newest that was good. */
  #material: TlsMaterial | undefined;
  /** Modification times and sizes of the files that were read last, good or not. */
  #stamp = '';
  #loading: Promise<TlsMaterial> | undefined;

  constructor(options: TlsOptions) {
    this.#options = options;
    this.#files = [options.cert, options.key, ...listOf(options.ca)].filter(pem => pem instanceof URL);
  }

  /**
   * The newest that is good: changed files that cannot be used are told of once, and what was there before stays in use.
   * @throws TlsError when nothing ever was good.
   */
  async current(): Promise<TlsMaterial> {
    const known = this.#material;
    if (known && this.#files.length === 0) return known;
    const stamp = (await Promise.all(this.#files.map(stampOf))).join();
    if (known && stamp === this.#stamp) return this.#loading?.catch(() => known) ?? known;
    this.#stamp = stamp;
    if (!known) return this.#load();
    return this.#load().catch((error: unknown) => {
      publish('listener.error', { url: undefined, error: asError(error) });
      return known;
    });
  }

  /**
   * Reads everything again.
   * @throws TlsError when it cannot be used; what was there before stays in use.
   */
  async reload(): Promise<void> {
    this.#stamp = (await Promise.all(this.#files.map(stampOf))).join();
    await this.#load();
  }

  async #load(): Promise<TlsMaterial> {
    const loading = this.#read();
    this.#loading = loading;
    try {
      return (this.#material = await loading);
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }

  async #read(): Promise<TlsMaterial> {
    const { cert, key, ca, minVersion } = this.#options;
    try {
      const [certificate, secret, ...authorities] = await Promise.all([
        cert === undefined ? undefined : read(cert, 'cert'),
        key === undefined ? undefined : read(key, 'key'),
        ...listOf(ca).map(pem => read(pem, 'ca')),
      ]);
      return materialOf(certificate, secret, authorities, minVersion);
    } catch (error) {
      throw new TlsError(`the certificate cannot be used: ${systemErrorText(error)}`, { cause: error });
    }
  }
}

const KNOWN = new WeakMap<TlsOptions, Credentials>();

/** The credentials of a configuration: the same object is read once, however many connections use it. */
export function credentialsOf(options: TlsOptions): Credentials {
  let credentials = KNOWN.get(options);
  if (!credentials) KNOWN.set(options, (credentials = new Credentials(options)));
  return credentials;
}
