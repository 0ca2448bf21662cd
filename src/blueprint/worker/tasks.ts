import type { MemberDeclaration } from '../../decorators/metadata.js';
import { RESERVED_TASK_NAMES } from '../../decorators/worker/task.js';
import { toMilliseconds, type Duration } from '../../units.js';
import type { Validator } from '../../schema.js';
import { validatorOf } from '../members.js';
import type { Report } from '../mistakes.js';
import { checkOptions, count, duration, flag, object, schema, type Rules } from '../option-rules.js';
import type { TaskBlueprint } from '../types.js';

const rules: Rules = {
  input: schema,
  output: schema,
  yields: schema,
  receives: schema,
  events: object,
  idempotent: flag,
  retries: count(0),
  timeout: duration,
  softTimeout: duration,
};

function milliseconds(value: unknown): number | undefined {
  return value === undefined ? undefined : toMilliseconds(value as Duration);
}

function readEvents(events: unknown, name: string, report: Report): ReadonlyMap<string, Validator> {
  const validators = new Map<string, Validator>();
  for (const [event, payload] of Object.entries(events ?? {})) {
    const validate = validatorOf(payload ?? null, name, `the event '${event}'`, report);
    if (validate) validators.set(event, validate);
  }
  return validators;
}

function readTask(name: string, written: unknown, report: Report): TaskBlueprint {
  const options = checkOptions(written, rules, name, report);
  const { input, output, yields, receives } = options;
  const idempotent = options['idempotent'] === true;
  const timeout = milliseconds(options['timeout']);
  const softTimeout = milliseconds(options['softTimeout']);
  if (output !== undefined && yields !== undefined)
    report(name, 'it has both `output` and `yields`', 'write `output` for one answer, `yields` for an `async *` method');
  if (options['retries'] !== undefined && !idempotent)
    report(
      name,
      '`retries` without `idempotent: true`',
      'a task that may not run twice is never tried again: write `idempotent: true`, or remove it',
    );
  if (timeout && softTimeout && softTimeout >= timeout)
    report(name, `softTimeout (${softTimeout} ms) is not below timeout (${timeout} ms)`, 'the soft one comes first: lower it');
  return {
    name,
    input: validatorOf(input, name, 'input', report),
    output: validatorOf(output, name, 'output', report),
    yields: validatorOf(yields, name, 'yields', report),
    receives: validatorOf(receives, name, 'receives', report),
    events: readEvents(options['events'], name, report),
    idempotent,
    retries: idempotent ? ((options['retries'] as number | undefined) ?? 1) : 0,
    timeout,
    softTimeout,
    schemas: writtenSchemas(options),
  };
}

function writtenSchemas({ input, output, yields, receives, events }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const named = Object.entries(events ?? {}).map(([event, payload]) => [`events.${event}`, payload] as const);
  return { input, output, yields, receives, ...Object.fromEntries(named) };
}

/** The tasks of a worker class by name: its own and those of its bases. */
export function readTasks(members: readonly MemberDeclaration[], report: Report): ReadonlyMap<string, TaskBlueprint> {
  const tasks = new Map<string, TaskBlueprint>();
  for (const member of members) {
    if (member.decorator !== 'Task') continue;
    if (typeof member.key !== 'string')
      report(member.key, '@Task is on a method without a plain name', 'calls name their task: write a named method');
    else if (RESERVED_TASK_NAMES.includes(member.key))
      report(member.key, `'${member.key}' cannot be the name of a task`, 'a worker client needs that name itself: choose another');
    else if (tasks.has(member.key)) report(member.key, 'it has @Task twice', 'write one');
    else tasks.set(member.key, readTask(member.key, member.options, report));
  }
  return tasks;
}
