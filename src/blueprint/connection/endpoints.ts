import { schemeNamed } from '../../endpoints/endpoint.js';
import type { Exec } from '../../decorators/connection/endpoint-types.js';
import { checkWatermarks, endpointRules } from './connection-options.js';
import { withoutUndefined } from '../lineage.js';
import type { Report } from '../mistakes.js';
import { checkOptions } from '../option-rules.js';
import { checkTls } from './tls-options.js';
import type { EndpointBlueprint } from '../types.js';

export type EndpointUse = 'listen' | 'connect';

/** Schemes that a sub-path brings. */
const SUB_PATHS: Readonly<Record<string, string>> = {
  ws: 'packet-ts/websocket',
  wss: 'packet-ts/websocket',
  http: 'packet-ts/http',
  https: 'packet-ts/http',
};

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

function isExec(value: object): value is Exec {
  return 'command' in value && typeof value.command === 'string';
}

/** The name of an endpoint's scheme: 'tcp'. */
export function schemeOf(endpoint: EndpointBlueprint): string {
  return SCHEME.exec(endpoint.url)?.[1]?.toLowerCase() ?? '';
}

function withOptions(
  url: unknown,
  options: Readonly<Record<string, unknown>>,
  use: EndpointUse,
  report: Report,
): EndpointBlueprint | undefined {
  if (typeof url === 'string') return { url, options };
  if (typeof url === 'object' && url !== null && isExec(url))
    return { url: `exec:${url.command}`, exec: { ...url, options: { ...url.options } }, options };
  report(
    use,
    url === undefined ? 'an endpoint has no url' : `${String(url)} is no endpoint`,
    "write a url such as 'tcp://127.0.0.1:7000', { url, …options }, or exec(…)",
  );
  return undefined;
}

/** One endpoint as it was written, over the options of its class. */
function toEndpoint(
  written: unknown,
  classOptions: Readonly<Record<string, unknown>>,
  use: EndpointUse,
  report: Report,
): EndpointBlueprint | undefined {
  if (typeof written !== 'object' || written === null || isExec(written)) return withOptions(written, classOptions, use, report);
  const { url, ...own } = withoutUndefined(written);
  const scheme = typeof url === 'string' ? schemeNamed(SCHEME.exec(url)?.[1]?.toLowerCase() ?? '') : undefined;
  // Options that only one scheme knows are checked by that scheme's `check`.
  const rules = scheme?.options
    ? { ...endpointRules, ...Object.fromEntries(scheme.options.map(name => [name, { expects: 'anything', fits: () => true }])) }
    : endpointRules;
  const options = { ...classOptions, ...checkOptions(own, rules, use, report) };
  checkWatermarks(options, use, report);
  checkTls(own['tls'], use, report);
  return withOptions(url, options, use, report);
}

/** Whether the endpoint can be used so on this process, without touching the system. */
function checkScheme(endpoint: EndpointBlueprint, use: EndpointUse, report: Report): void {
  const name = schemeOf(endpoint);
  if (name === '') {
    report(use, `'${endpoint.url}' is no url`, "write the scheme, too: 'tcp://127.0.0.1:7000', 'unix:/run/app.sock'");
    return;
  }
  const scheme = schemeNamed(name);
  if (!scheme) {
    const path = SUB_PATHS[name];
    report(
      use,
      `nothing knows the scheme of '${endpoint.url}'`,
      path === undefined
        ? 'write a known scheme, tcp: for instance, or register your own'
        : `add import '${path}' to the module that uses it`,
    );
    return;
  }
  if (!scheme[use]) report(use, `'${endpoint.url}' cannot ${use}`, use === 'listen' ? 'write it as `connect:`' : 'write it as `listen:`');
  if (use === 'listen' && endpoint.options['proxyProtocol'] !== undefined && !scheme.proxied)
    report(use, `'${endpoint.url}' cannot be reached through a proxy that speaks the PROXY protocol`, 'take proxyProtocol away');
  const wrong = scheme.check?.({ url: endpoint.url, exec: endpoint.exec, options: endpoint.options }, use);
  if (wrong !== undefined) report(use, `'${endpoint.url}': ${wrong}`, 'see the endpoint table of the manual');
}

function called(written: unknown, use: EndpointUse, report: Report): unknown {
  if (typeof written !== 'function') return written;
  try {
    return (written as () => unknown)();
  } catch (error) {
    report(
      use,
      `its function threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
      'return one endpoint or several',
    );
    return [];
  }
}

/** The endpoints that were written as one, several, or a function; the function is called. */
export function readEndpoints(
  written: unknown,
  classOptions: Readonly<Record<string, unknown>>,
  use: EndpointUse,
  report: Report,
): readonly EndpointBlueprint[] {
  const value = called(written, use, report);
  if (value === undefined) return [];
  const endpoints = (Array.isArray(value) ? value : [value]).flatMap(each => toEndpoint(each, classOptions, use, report) ?? []);
  for (const endpoint of endpoints) checkScheme(endpoint, use, report);
  return endpoints;
}
