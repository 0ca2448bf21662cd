import { requestsOf, schemeOf } from '../blueprint/index.js';
import type { EndpointBlueprint } from '../blueprint/types.js';
import { schemeNamed, type EndpointTarget, type Scheme, type SocketSource } from '../endpoints/endpoint.js';
import { ConfigurationError } from '../errors.js';
import type { Framing } from '../framing/framing.js';
import { speaksHttp } from '../framing/header-and-body.js';
import { raw } from '../framing/raw.js';
import { limitOf, toBytes, type Off, type Size } from '../units.js';
import type { HandlerPlan } from './handler/message-router.js';
import { resolveLimits, type ConnectionLimits } from './limits.js';

/** Settings that all sessions of one endpoint share. */
export interface Settings {
  readonly plan: HandlerPlan;
  readonly target: EndpointTarget;
  readonly scheme: Scheme;
  readonly framing: Framing<unknown, unknown>;
  readonly limits: ConnectionLimits;
  /** Messages handled at once. */
  readonly concurrency: number;
  readonly isOrdered: boolean;
  readonly allowHalfOpen: boolean;
  /** Accepted, not dialled. */
  readonly isAccepted: boolean;
  /** A connection on the loopback that begins with a request of HTTP is closed. */
  readonly refusesHttp: boolean;
  /** The limit on messages, for the endpoint's own framing or one that a connection changes to. */
  messageLimit(framing: Framing<unknown, unknown>): number;
}

/** Schemes that a browser can reach. */
const BROWSABLE: ReadonlySet<string> = new Set(['tcp', 'tls', 'fd', 'systemd']);

/**
 * Reads an endpoint's options as numbers and parts.
 * @throws ConfigurationError for an unknown scheme, or one that cannot do what the options ask for.
 */
export function settingsOf(plan: HandlerPlan, endpoint: EndpointBlueprint, use: 'listen' | 'connect'): Settings {
  const name = schemeOf(endpoint);
  const scheme = schemeNamed(name);
  if (!scheme?.[use]) {
    const wrong = scheme ? `'${endpoint.url}' cannot ${use}` : `nothing knows the scheme of '${endpoint.url}'`;
    throw new ConfigurationError([{ where: plan.name, member: use, wrong, remedy: 'write another endpoint, or register the scheme' }]);
  }
  const { options } = endpoint;
  const framing = (options['framing'] ?? plan.blueprint.framing ?? raw()) as Framing<unknown, unknown>;
  // The blueprint has checked what is written there.
  const limits = resolveLimits(options, framing, name, use);
  const most = options['maxMessageSize'] as Size | Off | undefined;
  return {
    plan,
    target: {
      url: endpoint.url,
      options,
      exec: endpoint.exec,
      requests: scheme.serves === 'requests' ? requestsOf(plan.blueprint) : undefined,
    },
    scheme,
    framing,
    limits,
    concurrency: (options['concurrency'] as number | undefined) ?? (name === 'udp' ? 64 : 1),
    isOrdered: (options['ordered'] as boolean | undefined) ?? name !== 'udp',
    allowHalfOpen: options['allowHalfOpen'] === true,
    isAccepted: use === 'listen',
    refusesHttp: use === 'listen' && plan.hasDataHandler && BROWSABLE.has(name) && options['allowHttp'] !== true && !speaksHttp(framing),
    messageLimit: of => (of === framing ? limits.maxMessageSize : limitOf(toBytes(most ?? of.maxMessageSize ?? '1mb'))),
  };
}

/** Settings of a listener that does not bind. `counts`: the source of its sockets applies the limits on their number. */
export function settingsFrom(source: SocketSource, settings: Settings, counts: boolean): Settings {
  const { target, limits } = settings;
  const unlimited = { ...limits, maxConnections: Infinity, maxPerPeer: Infinity, whenFull: 'reject' as const };
  return { ...settings, target: { ...target, source }, limits: counts ? unlimited : limits };
}
