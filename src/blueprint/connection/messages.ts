import { Buffer } from 'node:buffer';
import 'reflect-metadata';
import { messagesOf, type MessageClass } from '../../decorators/connection/message-kinds.js';
import { schemeOf } from './endpoints.js';
import type { Report } from '../mistakes.js';
import type { ConnectionBlueprint, EndpointBlueprint } from '../types.js';

/** Schemes that bring bytes where there is no framing; a websocket brings strings, too. */
const BYTES: ReadonlySet<string> = new Set(['tcp', 'tls', 'unix', 'udp', 'stdio', 'fd', 'systemd', 'memory', 'exec']);

/** Whether a parameter of this type may be given such messages. The compiler writes `Object` for every type that is no class. */
function takes(type: unknown, messages: MessageClass): boolean {
  return typeof type !== 'function' || type === Object || type === messages || messages.prototype instanceof type;
}

/** The kind of messages that an endpoint delivers; undefined: not known. */
function broughtBy(endpoint: EndpointBlueprint): { readonly messages: MessageClass; readonly by: string } | undefined {
  const framing = endpoint.options['framing'];
  if (typeof framing === 'object' && framing !== null) {
    const messages = messagesOf(framing);
    return messages && { messages, by: 'its framing gives' };
  }
  return BYTES.has(schemeOf(endpoint)) ? { messages: Buffer, by: 'without `framing:` a message is' } : undefined;
}

const ARTICLE: ReadonlyMap<MessageClass, string> = new Map<MessageClass, string>([
  [String, 'a string'],
  [Buffer, 'a Buffer'],
  [Object, 'an object'],
]);

/** Reports `@OnData` methods without a schema whose parameter is declared as something else than what its endpoints bring. */
export function checkMessageTypes(
  { cls, data }: Pick<ConnectionBlueprint, 'cls' | 'data'>,
  endpoints: readonly EndpointBlueprint[],
  report: Report,
): void {
  for (const { key, validate } of data) {
    if (validate) continue;
    const [type] = (Reflect.getMetadata('design:paramtypes', (cls as { prototype: object }).prototype, key as string) ??
      []) as readonly unknown[];
    for (const endpoint of endpoints) {
      const brought = broughtBy(endpoint);
      if (!brought || takes(type, brought.messages)) continue;
      const { name } = type as { readonly name: string };
      report(
        key,
        `its message is declared as ${name}, and ${brought.by} ${ARTICLE.get(brought.messages)} ('${endpoint.url}')`,
        type === String
          ? "write framing: lines() of 'packet-ts/framing', or take a Buffer"
          : 'declare what comes, choose another framing, or give @OnData a schema',
      );
      break;
    }
  }
}
