import { useLightWeb } from '../../src/web/light/install.js';

/** Calls `useLightWeb()`; returns a function that gives the globals back. */
export function replacedWeb(): () => void {
  const names = ['Request', 'Response', 'fetch'] as const;
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);
  useLightWeb();
  return () => {
    for (const [name, property] of before) Object.defineProperty(globalThis, name, property);
  };
}
