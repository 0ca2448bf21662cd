import type { Attributes } from '@opentelemetry/api';
import type { CallTrace, RequestTrace } from '../diagnostics/trace-types.js';

/** Methods that OpenTelemetry's conventions know; others are `_OTHER`, since a client may send anything. */
const METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);

/** Labels of the catalogue of measurements. */
export type Labels = Readonly<Record<string, string | undefined>>;

/** Labels as attributes: by the name that the conventions have, or below `packet_ts`; those without a value are left out. */
export function attributesOf(app: string, labels: Labels): Attributes {
  const attributes: Attributes = { 'packet_ts.app': app };
  for (const [label, value] of Object.entries(labels))
    if (value !== undefined && value !== '') attributes[label === 'code' ? 'error.type' : `packet_ts.${label}`] = value;
  return attributes;
}

/** Names a call, on its span and in its metrics. */
export function callAttributes({ app, worker, key, task }: CallTrace): Attributes {
  const name = { 'rpc.system.name': 'packet-ts', 'rpc.method': `${worker}/${task}`, 'packet_ts.app': app, 'packet_ts.worker': worker };
  return key === undefined ? name : { ...name, 'packet_ts.key': key };
}

/** Describes a request that begins. */
export function requestAttributes({ app, method, handler, remote }: RequestTrace): Attributes {
  return {
    'http.request.method': METHODS.has(method) ? method : '_OTHER',
    'url.scheme': remote.url.slice(0, remote.url.indexOf(':')),
    'packet_ts.app': app,
    'packet_ts.handler': handler,
  };
}

/** Describes its answer, too; an error is named where the server is at fault, or no answer was sent. */
export function answerAttributes({ route, status, code }: RequestTrace): Attributes {
  const added: Attributes = {};
  if (route !== undefined) added['http.route'] = route;
  if (status !== undefined) added['http.response.status_code'] = status;
  if (status === undefined || status >= 500) added['error.type'] = code ?? (status === undefined ? 'disconnected' : String(status));
  return added;
}
