/**
 * What only a master needs: pools, hosts, the assembly of all parts. A worker's process would spend a fifth of its start on loading it.
 * Not before it is asked for: while it loads, whoever `require()`s another part of this package fails on Node 20 and 22.
 */
export function masterSide(): Promise<typeof import('./assembly.js')> {
  return import('./assembly.js');
}
