import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { tlsServerOf } from '../../endpoints/tls/tls-server.js';
import { asError, ConfigurationError } from '../../errors.js';

/** The `tls:` of an endpoint. The blueprint has checked it. */
export function tlsOf(options: Readonly<Record<string, unknown>>): TlsOptions | undefined {
  return options['tls'] as TlsOptions | undefined;
}

/**
 * Reads the certificate that a class is about to listen with, if it has one: one that cannot be used is told of here, and not by the first
 * client; for `startTls()`, too.
 * @throws ConfigurationError that names option and file.
 */
export async function readCertificate(name: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const tls = tlsOf(options);
  if (!tls?.cert && !tls?.sni) return;
  try {
    await tlsServerOf(tls).ready();
  } catch (cause) {
    const remedy = 'give it a certificate and the key that fits it, in files that this process may read';
    throw new ConfigurationError([{ where: name, member: 'listen', wrong: asError(cause).message, remedy }], { cause });
  }
}
