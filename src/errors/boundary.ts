import { oneLine, PacketError } from './packet-error.js';

/** One mistake of a message, in the words of its schema. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly PropertyKey[] | undefined;
}

/** Issues that a {@link BoundaryError} keeps, and how much of each: both may have been written by a peer. */
const MOST_ISSUES = 10;
const LONGEST_MESSAGE = 300;
const LONGEST_KEY = 100;
const DEEPEST_PATH = 100;

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

function kept({ message, path }: Issue): Issue {
  const short = shortened(message, LONGEST_MESSAGE);
  if (!path?.length) return { message: short, path };
  return { message: short, path: path.slice(0, DEEPEST_PATH).map(key => (typeof key === 'string' ? shortened(key, LONGEST_KEY) : key)) };
}

function textOf({ message, path }: Issue): string {
  return path?.length ? `${path.map(String).join('.')}: ${message}` : message;
}

/** The parts of a {@link BoundaryError}. */
export interface BoundaryDetails {
  readonly worker?: string | undefined;
  readonly task?: string | undefined;
  readonly direction: 'input' | 'output';
  readonly issues: readonly Issue[];
  /** How many issues were found; `issues` may have the first of them only. */
  readonly count?: number | undefined;
  /** There may be more than were found. */
  readonly more?: boolean | undefined;
  /** Named in the message; default: the input or output of that task. */
  readonly what?: string | undefined;
  /** Methods whose schemas were tried, where there were several. The issues are those of `nearest`. */
  readonly tried?: { readonly methods: readonly string[]; readonly nearest: string } | undefined;
}

/** A value did not fit the schema of the boundary it crossed. */
export class BoundaryError extends PacketError {
  readonly worker?: string | undefined;
  readonly task?: string | undefined;
  readonly direction: 'input' | 'output';
  /** The first ten. */
  readonly issues: readonly Issue[];
  /** How many there were. In a large value the search ends at 1000: then there may be more. */
  readonly issueCount: number;

  constructor({ worker, task, direction, issues, count = issues.length, more = false, what, tried }: BoundaryDetails) {
    const first = issues.slice(0, MOST_ISSUES).map(kept);
    const name = what ?? (worker === undefined ? 'message' : `${direction} of ${worker}${task === undefined ? '' : `.${task}`}`);
    const why = tried ? `it fits none of ${tried.methods.map(method => `${method}()`).join(', ')}; nearest is ${tried.nearest}(): ` : '';
    const others = count - first.length;
    const rest = more ? `; and ${others > 0 ? `${others} others or more` : 'perhaps others'}` : others > 0 ? `; and ${others} others` : '';
    super(oneLine(`invalid ${name}: ${why}${first.map(textOf).join('; ')}${rest}`), 'ERR_PACKET_BOUNDARY');
    this.worker = worker;
    this.task = task;
    this.direction = direction;
    this.issues = first;
    this.issueCount = count;
  }
}
