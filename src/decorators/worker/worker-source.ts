import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyFunction } from '../ctor.js';
import type { ModuleSource } from '../metadata.js';

/** Helpers of compilers and polyfills that stand between a decorator and the class. */
const HELPERS = /[\\/](reflect-metadata|tslib|@oxc-project[\\/]runtime|@swc[\\/]helpers)[\\/]/;

/** Enough for every bundler's and loader's helpers; the default 10 is not. */
const DEPTH = 64;

/** File names of the callers of `below`, innermost first; '' where there is none. Raw call sites: the formatted text may be source-mapped. */
function callerFiles(below: AnyFunction): readonly string[] {
  const saved = {
    limit: Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'),
    prepare: Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'),
  };
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = DEPTH;
    Error.prepareStackTrace = (_error, sites) => sites.map(site => site.getFileName() ?? '');
    Error.captureStackTrace(holder, below);
    // The stack is formatted when it is first read: that must happen here.
    return Array.isArray(holder.stack) ? (holder.stack as string[]) : [];
  } finally {
    if (saved.limit) Object.defineProperty(Error, 'stackTraceLimit', saved.limit);
    if (saved.prepare) Object.defineProperty(Error, 'prepareStackTrace', saved.prepare);
    else Reflect.deleteProperty(Error, 'prepareStackTrace');
  }
}

/** Node's own code, and what has no file: the REPL, `node --eval`, vm scripts. */
function isInternal(file: string): boolean {
  return file.startsWith('node:') || !(isAbsolute(file) || /^[a-z]+:/.test(file));
}

/** A file's url: ESM names its files by url, CommonJS by path. */
export function toUrl(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : file;
}

/**
 * The module that is being evaluated while `below` is called: walking outward, the frame that the module loader called.
 * Without such a frame (after a top-level await, in a callback, under vite-node) it is a guess: the nearest file that is no helper.
 */
export function evaluatedModule(below: AnyFunction): ModuleSource | undefined {
  const files = callerFiles(below);
  for (const [i, file] of files.entries()) {
    if (!isInternal(file) && files[i + 1]?.startsWith('node:internal/modules/')) return { url: toUrl(file), sure: true };
  }
  const nearest = files.find(file => !isInternal(file) && !HELPERS.test(file));
  return nearest === undefined ? undefined : { url: toUrl(nearest), sure: false };
}
