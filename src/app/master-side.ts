/**
 * Loads the parts that only a master needs: pools, hosts, the assembly. A worker's process would spend a fifth of its start on loading
 * them. Not before they are needed: while they load, a `require()` of another part of this package fails on Node 20 and 22.
 */
export function masterSide(): Promise<typeof import('./assembly.js')> {
  return import('./assembly.js');
}
