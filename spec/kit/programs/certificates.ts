import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const NEW_CERTIFICATE = ['req', '-x509', '-nodes', '-days', '2'];
const KEYS = { ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], rsa: ['-newkey', 'rsa:2048'] } as const;

/** Signs certificates, made anew by the `openssl` program: none lies in the repository, and none runs out. */
export class Authority implements Disposable, Certificate {
  readonly cert: string;
  readonly key: string;
  /** For files of a test; gone with the authority. */
  readonly folder = mkdtempSync(join(tmpdir(), 'packet-tls-'));

  constructor(name = 'spec authority') {
    ({ cert: this.cert, key: this.key } = this.#make('ca', ['-subj', `/CN=${name}`]));
  }

  /** A certificate for these host names and addresses. */
  issue(...names: readonly string[]): Certificate {
    return this.#issue('ec', names);
  }

  /** The same with an RSA key. */
  issueRsa(...names: readonly string[]): Certificate {
    return this.#issue('rsa', names);
  }

  #issue(kind: keyof typeof KEYS, names: readonly string[]): Certificate {
    const alternatives = names.map(name => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`).join();
    const signed = ['-CA', join(this.folder, 'ca.pem'), '-CAkey', join(this.folder, 'ca.key')];
    return this.#make('leaf', ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`, ...signed], kind);
  }

  #make(file: string, how: readonly string[], kind: keyof typeof KEYS = 'ec'): Certificate {
    const [cert, key] = [join(this.folder, `${file}.pem`), join(this.folder, `${file}.key`)];
    execFileSync('openssl', [...NEW_CERTIFICATE, ...KEYS[kind], '-keyout', key, '-out', cert, ...how], { stdio: 'ignore' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
