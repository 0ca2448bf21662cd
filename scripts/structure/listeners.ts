import type { Offence } from './check.js';
import { codeOf } from './source-text.js';

/** A listener that a file of src/ gives to a Node emitter. */
export interface ListenerSite {
  readonly event: string;
  /** From 1. */
  readonly line: number;
  /** It is an empty function, or made by `guard()`, `guardEach()` or `guardThis()`. */
  readonly isGuarded: boolean;
}

const CALL = /([\w#)!?]+)\s*\??\.(?:on|once|addListener|prependListener|prependOnceListener)\(\s*'( *)',\s*/g;
/** Their listeners belong to the process, or they are emitters of ours. */
const NOT_CONNECTIONS: ReadonlySet<string> = new Set(['process', 'workers', 'workforce', 'announcer', 'dialer']);
const HARMLESS = /^(?:guard(?:Each|This)?\(|\(\) => \{\}|ignore\))/;
const NAME = /^(?:this\.)?(#?\w+)\)/;

/** Whether a name is given to what `guard()` returns, or to an empty function, anywhere in the file. */
function isGuardedName(code: string, name: string): boolean {
  return (
    new RegExp(`${name}(?:: [^=;]+)? = guard(?:Each|This)?\\(`).test(code) || new RegExp(`${name} = \\(\\): void => \\{\\}`).test(code)
  );
}

/** All listeners of Node emitters in a source, as far as the event is written as a string. */
export function listenersOf(text: string): ListenerSite[] {
  const code = codeOf(text);
  return [...code.matchAll(CALL)].flatMap(({ 0: call, 1: receiver = '', 2: blank = '', index }) => {
    if (NOT_CONNECTIONS.has(receiver.replaceAll(/[#!?]/g, ''))) return [];
    const at = text.indexOf("'", index) + 1;
    const rest = code.slice(index + call.length);
    const name = NAME.exec(rest)?.[1];
    return [
      {
        event: text.slice(at, at + blank.length),
        line: code.slice(0, index).split('\n').length,
        isGuarded: HARMLESS.test(rest) || (name !== undefined && isGuardedName(code, name)),
      },
    ];
  });
}

/** What a listener throws must end its connection, not the process. */
export function checkListeners(file: string, text: string): Offence[] {
  const rule = 'a listener of a Node emitter is guarded: what it throws ends its connection, not the process';
  const remedy = "wrap it: on('data', guard(socket, chunk => …)), see src/guard.ts";
  return listenersOf(text)
    .filter(({ isGuarded }) => !isGuarded)
    .map(({ event, line }) => ({ file, line, what: `listens to '${event}'`, rule, remedy }));
}

const ABORT_CALL = /\.addEventListener\(\s*'( *)'/g;
const ABORTS_FILE = 'src/abort-listeners.ts';

/** A signal may outlive what waits for it, and from the eleventh listener on Node 20 warns of a leak. */
export function checkAborts(file: string, text: string): Offence[] {
  if (file === ABORTS_FILE) return [];
  const code = codeOf(text);
  const rule = 'whatever waits for an abort shares one listener of the signal, and is taken off it again';
  const remedy = 'const forget = onAbort(signal, …), see src/abort-listeners.ts';
  return [...code.matchAll(ABORT_CALL)].flatMap(({ 1: blank = '', index }) => {
    const at = text.indexOf("'", index) + 1;
    if (text.slice(at, at + blank.length) !== 'abort') return [];
    return [{ file, line: code.slice(0, index).split('\n').length, what: "addEventListener('abort')", rule, remedy }];
  });
}
