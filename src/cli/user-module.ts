import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../errors.js';

/** Loaders of TypeScript that are looked for, in this order. The first two emit the metadata from which constructor parameters are read. */
const LOADERS = ['@swc-node/register/esm-register', '@oxc-node/core/register', 'tsx'] as const;
const TYPESCRIPT = /\.[cm]?tsx?$/i;
/** Flags with which the command itself was started, and that load TypeScript or whatever else the user wants. */
const LOADS = /^(?:--import|--loader|--experimental-loader|--require|-r|--experimental-transform-types)(?:=|$)/;

const HINT =
  "Node's own type stripping takes no decorators: npm install --save-dev tsx (constructor parameters then take @inject(Token)) " +
  'or @swc-node/register (reads their types), or compile it and give the .js file';

/** A module that the user named, and how node can load it. */
export interface UserModule {
  /** An absolute path. */
  readonly file: string;
  /** Flags of node. */
  readonly flags: readonly string[];
  /** Advice for syntax that cannot be read. */
  readonly hint: string | undefined;
}

function loaderFor(file: string): string | undefined {
  const from = createRequire(file);
  for (const name of LOADERS) {
    try {
      return pathToFileURL(from.resolve(name)).href;
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/**
 * Finds a module, and what compiles it on the fly where it is TypeScript.
 * @throws UsageError when there is no such file, or nothing that loads it.
 */
export function userModule(path: string, environment: { execArgv: readonly string[]; stripsTypes: boolean }): UserModule {
  const file = resolve(path);
  if (!existsSync(file) || !statSync(file).isFile()) throw new UsageError(`there is no file ${path}`);
  const real = realpathSync(file);
  const { execArgv, stripsTypes } = environment;
  if (!TYPESCRIPT.test(real) || execArgv.some(flag => LOADS.test(flag))) return { file: real, flags: execArgv, hint: undefined };
  const loader = loaderFor(real);
  if (loader !== undefined) return { file: real, flags: [...execArgv, '--import', loader], hint: undefined };
  if (stripsTypes) return { file: real, flags: execArgv, hint: HINT };
  throw new UsageError(`${basename(real)} is TypeScript, and no loader for it is installed. ${HINT}`);
}

/** Facts about this process for {@link userModule}. */
export function thisNode(): { execArgv: readonly string[]; stripsTypes: boolean } {
  // Known to Node from 22.10 on, and not to the types of Node 20.
  const { typescript } = process.features as { typescript?: unknown };
  return { execArgv: process.execArgv, stripsTypes: typescript !== undefined && typescript !== false };
}
