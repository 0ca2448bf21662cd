import { list, object, oneOf, text, callable, either, checkOptions, type Rule, type Rules } from '../option-rules.js';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { alpnNames, isServerName } from './list-rules.js';
import type { Report } from '../mistakes.js';

const PEM_BLOCK = '-----BEGIN ';

/** Certificates and keys are looked at apart: what is wrong with a key must not be told by showing it. */
const unseen: Rule = { expects: 'a PEM', fits: () => true };

const RULES = {
  cert: unseen,
  key: unseen,
  ca: unseen,
  sni: either(object, callable),
  alpn: alpnNames,
  clientCert: oneOf('none', 'request', 'require'),
  minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  servername: text,
} satisfies Record<keyof TlsOptions, Rule> & Rules;

function flawOf(pem: unknown): string | undefined {
  if (pem instanceof URL) return pem.protocol === 'file:' ? undefined : `is a ${pem.protocol} URL`;
  if (pem instanceof Uint8Array) return undefined;
  if (typeof pem !== 'string') return `is ${pem === null ? 'null' : `a value of type ${typeof pem}`}`;
  return pem.includes(PEM_BLOCK) ? undefined : 'is a string that is no PEM';
}

function checkPem(name: string, written: unknown, member: string | undefined, report: Report): void {
  if (written === undefined) return;
  const flaws = name === 'ca' && list.fits(written) ? (written as unknown[]).map(flawOf) : [flawOf(written)];
  const flaw = flaws.find(Boolean);
  const remedy = `write the PEM text, its bytes, or the URL of its file: new URL('./${name}.pem', import.meta.url)`;
  if (flaw !== undefined) report(member, `tls.${name} ${flaw}`, remedy);
}

/** Reports what is wrong with `tls:`, wherever it stands; certificates and keys are never shown. */
export function checkTls(written: unknown, member: string | undefined, report: Report): void {
  if (!object.fits(written)) return;
  const tls = written as Readonly<Record<string, unknown>>;
  checkOptions(tls, RULES, member, (where, wrong, remedy) => report(where, `tls: ${wrong}`, remedy));
  for (const name of ['cert', 'key', 'ca']) checkPem(name, tls[name], member, report);
  if ((tls['cert'] === undefined) !== (tls['key'] === undefined)) {
    const [has, lacks] = tls['key'] === undefined ? ['cert', 'key'] : ['key', 'cert'];
    report(member, `tls has a ${has} and no ${lacks}`, `write tls.${lacks}, too: they belong together`);
  }
  if (!object.fits(tls['sni'])) return;
  for (const [name, other] of Object.entries(tls['sni'] as object)) {
    if (!isServerName(name)) {
      const remedy =
        "write 'a.example' or '*.example': without a port, no address, international names as 'xn--…'; other names get the certificate beside sni";
      report(member, `tls: no client asks for the sni name '${name}'`, remedy);
    }
    checkTls(other, member, report);
  }
}
