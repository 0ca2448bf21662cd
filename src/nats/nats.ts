import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Authenticator, NodeConnectionOptions } from '@nats-io/transport-node';
import { asError, MeshError } from '../errors.js';
import type { Mesh } from '../mesh/mesh-types.js';
import { checkGiven, either, isObject, type Rule, type Rules, text, texts } from '../option-rules.js';
import { NatsMeshConnection, type NatsClient } from './connection.js';

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
  /**
   * `nats://host:port` of one or more servers of one cluster; others of it are found by themselves. A user's name and password may stand in it.
   * Default `nats://127.0.0.1:4222`.
   */
  servers?: string | readonly string[] | undefined;
  /** First token of all subjects: applications of different namespaces do not see each other. Default `'packet'`. */
  namespace?: string | undefined;
  /** `true`: TLS with the authorities of Node. */
  tls?: NatsTls | true | undefined;
  /** A `.creds` file: its text, its bytes, or its `URL`, which is read again at each connect. */
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

const word: Rule = { expects: 'a string that is not empty', fits: value => typeof value === 'string' && value !== '' };

const RULES: Rules = {
  servers: either(text, texts),
  namespace: word,
  tls: { expects: 'true or { cert?, key?, ca? }', fits: value => value === true || isObject(value) },
  credentials: secret,
  nkey: secret,
  name: word,
};

function read(given: NatsSecret): Uint8Array {
  return given instanceof URL ? readFileSync(given) : typeof given === 'string' ? Buffer.from(given) : given;
}

function textOf(given: NatsSecret): string {
  return Buffer.from(read(given)).toString().trim();
}

/**
 * Reads a secret at each call; while its file is away or half written, what was read last counts.
 * @throws MeshError where it was never there, or never fitted.
 */
function fresh(option: string, given: NatsSecret, check: (secret: Uint8Array) => unknown): () => Uint8Array {
  const readNow = (): Uint8Array => {
    const secret = Buffer.from(`${textOf(given)}\n`);
    check(secret);
    return secret;
  };
  let last: Uint8Array;
  try {
    last = readNow();
  } catch (error) {
    throw new MeshError(`nats(): ${option} cannot be used: ${asError(error).message}`, { reason: 'refused', cause: error });
  }
  return () => {
    try {
      last = readNow();
    } catch {
      // The next connect may find it again.
    }
    return last;
  };
}

/** Proof of this client's identity; undefined: it has none. */
function authenticatorOf(client: NatsClient, { servers, credentials, nkey }: NatsOptions): Authenticator | undefined {
  const { credsAuthenticator, nkeyAuthenticator, nkeys, tokenAuthenticator, usernamePasswordAuthenticator } = client;
  if (credentials !== undefined) return credsAuthenticator(fresh('credentials', credentials, file => credsAuthenticator(file)('nonce')));
  if (nkey !== undefined) {
    const seed = fresh('nkey', nkey, file => nkeys.fromSeed(seedIn(file)));
    return nkeyAuthenticator(() => seedIn(seed()));
  }
  const [first = ''] = typeof servers === 'string' ? [servers] : (servers ?? []);
  const named = IDENTITY.exec(first)?.[1];
  if (named === undefined) return undefined;
  const [user = '', password] = named.split(':').map(decodeURIComponent);
  return password === undefined ? tokenAuthenticator(user) : usernamePasswordAuthenticator(user, password);
}

function seedIn(file: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(file).toString().trim());
}

/** Name and password, or a token, in the url of a server. */
const IDENTITY = /\/\/([^@/]*)@/;

function checkPem(bytes: Uint8Array): void {
  if (!Buffer.from(bytes).includes('-----BEGIN ')) throw new TypeError('it is no PEM text');
}

/** Files are read again at each connect: certificates change. */
function tlsOf({ cert, key, ca }: NatsTls): NonNullable<NodeConnectionOptions['tls']> {
  const entries = Object.entries({ cert, key, ca }).filter(([, given]) => given !== undefined) as [string, NatsSecret][];
  return Object.fromEntries(
    entries.map(([name, given]) => {
      const current = fresh(`tls.${name}`, given, checkPem);
      return given instanceof URL ? [`${name}File`, fileURLToPath(given)] : [name, Buffer.from(current()).toString()];
    }),
  );
}

/**
 * A mesh over NATS. It connects when an application starts, and then for as long as that runs, whatever becomes of the server.
 * @throws UsageError for an unknown option or a value that breaks its rule. `bootstrap()` and `serveWorkers()` reject with a MeshError when no server can be reached.
 * @example await bootstrap(AppModule, { mesh: nats({ servers: 'nats://10.0.0.1:4222' }), placement: { eval_worker: 'remote' } });
 */
export function nats(options: NatsOptions = {}): Mesh {
  checkGiven('nats()', options, RULES);
  const { servers = 'nats://127.0.0.1:4222', namespace = 'packet', tls, name = 'any' } = options;
  if (tls !== undefined && tls !== true) checkGiven('nats(): tls', tls, { cert: secret, key: secret, ca: secret });
  return {
    async connect() {
      const client = await load();
      return NatsMeshConnection.open(client, {
        servers: (typeof servers === 'string' ? [servers] : [...servers]).map(server => server.replace(IDENTITY, '//')),
        namespace,
        user: name,
        tls: tls && tlsOf(tls === true ? {} : tls),
        authenticator: authenticatorOf(client, options),
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
