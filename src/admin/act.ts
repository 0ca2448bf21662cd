import type { Inspection } from '../app/report/inspection-types.js';
import { UsageError } from '../errors.js';
import type { Action, ProfileAction } from './messages.js';

function found(is: boolean, what: string): void {
  if (!is) throw new UsageError(`${what} is gone`);
}

/** Does what a visitor asked for; resolves when it is done. Throws UsageError for what is not there. */
export async function act(inspection: Inspection, action: Exclude<Action, ProfileAction>): Promise<void> {
  switch (action.do) {
    case 'disconnect':
      return found(inspection.disconnect(action.connection), `connection ${action.connection}`);
    case 'kill':
      return found(inspection.killProcess(action.process), `process ${action.process}`);
    case 'restart':
      return found(inspection.restartProcess(action.process), `process ${action.process}`);
    case 'restartPool':
      return inspection.restartPool(action.pool);
    case 'pause':
      return inspection.pausePool(action.pool, true);
    case 'resume':
      return inspection.pausePool(action.pool, false);
    case 'scale':
      return inspection.scalePool(action.pool, action.min, action.max);
  }
}
