import {
  AbortError,
  BoundaryError,
  ClosingError,
  ConfigurationError,
  NotCloneableError,
  TaskNotFoundError,
  UsageError,
} from '../errors.js';

/** Whether another try may end otherwise: not where the caller gave up, or asked for what cannot be done. */
export function isTransient(error: Error): boolean {
  return !(
    error instanceof AbortError ||
    error instanceof BoundaryError ||
    error instanceof ClosingError ||
    error instanceof ConfigurationError ||
    error instanceof NotCloneableError ||
    error instanceof TaskNotFoundError ||
    error instanceof UsageError
  );
}
