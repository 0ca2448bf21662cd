import { createHash } from 'node:crypto';
import { nkeys } from '@nats-io/transport-node';

type KeyPair = ReturnType<typeof nkeys.createUser>;

const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');

/** A JWT as NATS has them: signed by the issuer's nkey. */
function jwt(issuer: KeyPair, subject: string, name: string, nats: object): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iat, iss: issuer.getPublicKey(), name, sub: subject, nats };
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const text = `${base64url('{"typ":"JWT","alg":"ed25519-nkey"}')}.${base64url(JSON.stringify({ jti, ...claims }))}`;
  return `${text}.${base64url(issuer.sign(Buffer.from(text)))}`;
}

const NO_LIMITS = { subs: -1, data: -1, payload: -1 };

/** An operator and one account: their lines of a server's configuration, and users with `.creds` files. */
export class Operator {
  readonly #account = nkeys.createAccount();
  readonly config: string;

  constructor() {
    const operator = nkeys.createOperator();
    const account = this.#account.getPublicKey();
    const limits = { ...NO_LIMITS, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true };
    const accountJwt = jwt(operator, account, 'spec', { type: 'account', version: 2, limits });
    this.config = [
      `operator: ${jwt(operator, operator.getPublicKey(), 'operator', { type: 'operator', version: 2 })}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account}: ${accountJwt} }`,
    ].join('\n');
  }

  /** Text of a `.creds` file. */
  credentials(name: string): string {
    const user = nkeys.createUser();
    const token = jwt(this.#account, user.getPublicKey(), name, { type: 'user', version: 2, pub: {}, sub: {}, ...NO_LIMITS });
    const seed = Buffer.from(user.getSeed()).toString();
    return `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  }
}
