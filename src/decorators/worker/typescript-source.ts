/** How Node says that it cannot run TypeScript: by the file's name, or where its own type stripping meets more than types. */
const CODES: ReadonlySet<unknown> = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

/**
 * Advice for a module that could not be imported because it is TypeScript; undefined where something else is wrong.
 * A decorator under type stripping is a bare SyntaxError of the parser.
 */
export function typescriptRemedy(url: string, error: unknown): string | undefined {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (!/\.[cm]?tsx?$/.test(url) || !(CODES.has(code) || name === 'SyntaxError')) return undefined;
  return 'Node removes types at most, and decorators are more than types: compile it with tsc and run the output, or start with a loader (node --import tsx …), which worker processes inherit';
}
