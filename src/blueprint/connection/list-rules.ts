import { isIP } from 'node:net';
import type { Rule } from '../option-rules.js';

/** A host name as clients send it: ASCII (an international name is written as `xn--…`), without a port. */
const HOST_NAME = /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i;
/** A token of RFC 9110. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s\\]+$/;
/** Bytes of a protocol name of ALPN. */
const MAX_ALPN = 255;

/** A list of strings each of which a client can send; others would be compared with what it sends, and never be equal. */
function listOf(expects: string, canMatch: (text: string) => boolean): Rule {
  return {
    expects,
    fits: value => Array.isArray(value) && value.every(item => typeof item === 'string' && canMatch(item)),
  };
}

/** Spelled as a browser spells it: no path, no default port, lower case. */
function isOrigin(text: string): boolean {
  if (text === '*' || text === 'null') return true;
  if (!ORIGIN.test(text)) return false;
  // Other schemes, of extensions for instance, have no origin that `URL` knows.
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}

export const origins = listOf(
  "origins as browsers send them, 'https://a.example' or 'https://a.example:8443' without a path, or '*'",
  isOrigin,
);

export const hostNames = listOf(
  "host names without scheme and port, 'a.example' (international ones as 'xn--…')",
  text => HOST_NAME.test(text) || isIP(text.replace(/^\[(.*)\]$/, '$1')) !== 0,
);

export const httpMethods = listOf("methods of HTTP in capitals, 'PUT'", text => TOKEN.test(text) && text === text.toUpperCase());

export const fieldNames = listOf("names of header fields, 'x-request-id'", text => TOKEN.test(text));

export const subprotocols = listOf("names of subprotocols, 'mqtt', without spaces and commas", text => TOKEN.test(text));

export const alpnNames = listOf(
  `protocol names of 1 to ${MAX_ALPN} bytes, 'h2'`,
  text => text !== '' && Buffer.byteLength(text) <= MAX_ALPN,
);

/** Whether a client can ask for that name, or for one in the place of a leading `*`. */
export function isServerName(text: string): boolean {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return HOST_NAME.test(name) && isIP(name) === 0;
}
