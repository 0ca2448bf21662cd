import { readFileSync } from 'node:fs';
import { MeshError } from '../errors.js';
import type { Mesh } from '../mesh/mesh-types.js';
import { anything, checkGiven, either, isObject, type Rule, type Rules, text, texts } from '../option-rules.js';
import { NatsMeshConnection } from './connection.js';

/** A key or certificate: PEM text, bytes, or a file `URL`. */
export type NatsSecret = string | Uint8Array | URL;

/** TLS towards the server; the host name is verified. */
export interface NatsTls {
  /** The client's certificate, where the server asks for one. */
  cert?: NatsSecret | undefined;
  key?: NatsSecret | undefined;
  /** The authority that signed the server's certificate. Default: those of Node. */
  ca?: NatsSecret | undefined;
}

/** The options of {@link nats}. */
export interface NatsOptions {
  /** `nats://host:port` of one or more servers of one cluster; others of it are found by themselves. Default `nats://127.0.0.1:4222`. */
  servers?: string | readonly string[] | undefined;
  /** First token of all subjects: applications of different namespaces do not see each other. Default `'packet'`. */
  namespace?: string | undefined;
  /** `true`: TLS with the authorities of Node. */
  tls?: NatsTls | true | undefined;
  /** A `.creds` file: its text, its bytes, or its `URL`. */
  credentials?: NatsSecret | undefined;
  /** The seed of an nkey (`SU…`): text, or the `URL` of a file that holds it. */
  nkey?: NatsSecret | undefined;
  /** Name of this client, which its permissions go by: what it receives are subjects `<namespace>.c.<name>.>`. Default `'any'`. */
  name?: string | undefined;
}

const secret: Rule = {
  expects: 'text, bytes, or a file URL',
  fits: value => typeof value === 'string' || value instanceof Uint8Array || (value instanceof URL && value.protocol === 'file:'),
};

const RULES: Rules = {
  servers: either(text, texts),
  namespace: text,
  tls: { expects: 'true or { cert?, key?, ca? }', fits: value => value === true || isObject(value) },
  credentials: secret,
  nkey: secret,
  name: text,
};

function read(given: NatsSecret): Uint8Array {
  return given instanceof URL ? readFileSync(given) : typeof given === 'string' ? Buffer.from(given) : given;
}

function textOf(given: NatsSecret): string {
  return Buffer.from(read(given)).toString().trim();
}

/**
 * A mesh over NATS. It connects when an application starts, and then for as long as that runs, whatever becomes of the server.
 * @throws UsageError for an option that is none. `bootstrap()` and `serveWorkers()` reject with a MeshError when no server can be reached.
 * @example await bootstrap(AppModule, { mesh: nats({ servers: 'nats://10.0.0.1:4222' }), placement: { eval_worker: 'remote' } });
 */
export function nats(options: NatsOptions = {}): Mesh {
  checkGiven('nats()', options, RULES);
  const { servers = 'nats://127.0.0.1:4222', namespace = 'packet', tls, credentials, nkey, name = 'any' } = options;
  if (tls !== undefined && tls !== true)
    checkGiven('nats(): tls', tls, { cert: secret, key: secret, ca: secret, rejectUnauthorized: anything });
  return {
    async connect() {
      const client = await load();
      const pem = tls === undefined || tls === true ? {} : tls;
      const authenticator = credentials
        ? client.credsAuthenticator(read(credentials))
        : nkey && client.nkeyAuthenticator(Buffer.from(textOf(nkey)));
      return NatsMeshConnection.open(client, {
        servers: typeof servers === 'string' ? [servers] : [...servers],
        namespace,
        user: name,
        tls: tls && {
          ...(pem.cert && { cert: textOf(pem.cert) }),
          ...(pem.key && { key: textOf(pem.key) }),
          ...(pem.ca && { ca: textOf(pem.ca) }),
        },
        authenticator: authenticator || undefined,
      });
    },
  };
}

/** The client of NATS: an optional peer dependency. */
async function load(): Promise<typeof import('@nats-io/transport-node')> {
  try {
    return await import('@nats-io/transport-node');
  } catch (error) {
    throw new MeshError('packet-ts/nats needs a package that is not installed: npm install @nats-io/transport-node', {
      reason: 'unreachable',
      cause: error,
    });
  }
}
