/**
 * The house, floor by floor: a file may import what lies on its own floor or below, never above.
 * docs and diagrams draw the same floors; this is where they are law.
 */

/** From the ground up. A name is a folder of src/ or a file in it without `.ts`. */
export const FLOORS: readonly (readonly string[])[] = [
  [
    'abort-listeners',
    'errors',
    'units',
    'option-rules',
    'async-context',
    'clock',
    'deadline',
    'system-timers',
    'node-internals',
    'unordered-list',
    'timing',
    'logger',
    'logging',
    'diagnostics',
    'guard',
    'is-response',
    'json-text',
    'package-home',
    'profiling',
    'transferable',
    'transfer',
    'hosts',
    'decorators',
  ],
  ['blueprint', 'endpoints', 'wire', 'schema', 'around'],
  ['workers', 'tasks', 'framing', 'channels'],
  ['session'],
  ['reactor', 'multi-core', 'mesh'],
  ['app'],
  ['web', 'measurements'],
  ['worker-main', 'testing', 'http', 'websocket', 'nats', 'metrics', 'otel'],
  ['admin'],
  // The table of contents knows every floor; a sub-path that extends the application imports it as its users do.
  ['index', 'cli'],
];

/**
 * An interface between two floors is a contract: whoever may not import a file may still `import type` from one of these.
 * `types.ts` and `…-types.ts` are contracts by their name; these are the others.
 */
const CONTRACTS: ReadonlySet<string> = new Set([
  'decorators/ctor.ts',
  'endpoints/endpoint.ts',
  'framing/framing.ts',
  'hosts/host.ts',
  'schema.ts',
  'wire/link/protocol.ts',
]);

/** `file` is relative to src/. */
export function isContract(file: string): boolean {
  return CONTRACTS.has(file) || /(?:^|[/-])types\.ts$/.test(file);
}

/** Something that only some rooms may know. `of` is a package, or a folder of src/. */
export interface Secret {
  readonly of: string;
  /** Folders and files of src/, without `.ts`. */
  readonly knownTo: readonly string[];
  readonly remedy: string;
}

export const SECRETS: readonly Secret[] = [
  {
    of: 'tsyringe',
    knownTo: ['app', 'index', 'decorators', 'worker-main', 'testing', 'web', 'http', 'websocket', 'admin'],
    remedy: 'resolve it in app/ (or worker-main/) and pass the instance down',
  },
  {
    of: 'decorators',
    knownTo: [
      'decorators',
      ...FLOORS.slice(1)
        .flat()
        .filter(room => !['endpoints', 'wire', 'schema'].includes(room)),
    ],
    remedy: 'below the blueprint nobody knows how things were declared: take what is needed as an argument',
  },
];

/** Lines that a file may have at most. A spec may be longer: it is a list. */
export const MAX_LINES = { source: 400, spec: 600 } as const;

/** Files that a folder of src/ may have directly in it. */
export const MAX_FILES = 16;

/**
 * Imports of types that may close a circle: the parts of a recursive descent take the whole, which calls them. No other circle is allowed,
 * and none of values.
 */
export const RECURSION: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'src/wire/codec/extras.ts', to: 'src/wire/codec/decoder.ts' },
  { from: 'src/wire/codec/error-decoding.ts', to: 'src/wire/codec/decoder.ts' },
  { from: 'src/wire/codec/objects.ts', to: 'src/wire/codec/encoder.ts' },
  { from: 'src/wire/codec/error-encoding.ts', to: 'src/wire/codec/encoder.ts' },
  { from: 'src/wire/codec/attachments.ts', to: 'src/wire/codec/encoder.ts' },
];
