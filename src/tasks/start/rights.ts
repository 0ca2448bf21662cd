import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import { scopeOf } from '../../hosts/launch/scopes.js';

/** The part of `process.permission` that is asked; Node 20 has it under a flag that its types do not know. */
interface PermissionModel {
  has(scope: string, reference?: string): boolean;
}

/**
 * The rights of this process beyond `granted`, in words; undefined where there are none. `granted` are scopes of Node's permission
 * model. Each of Node's own `--allow-…` flags is asked about, so that no list here can lack a new one; and one file is tried, since under
 * `--permission-audit` the model only warns.
 */
export function excessOfRights(granted: readonly string[]): string | undefined {
  const { permission } = process as { readonly permission?: PermissionModel };
  if (!permission) return 'has no permission model at all';
  const scopes = [...process.allowedNodeEnvironmentFlags].filter(flag => flag.startsWith('--allow-')).map(scopeOf);
  // Node 20 answers wrongly for files in general where folders that have no parent in common are granted: it is asked about one file.
  const has = (scope: string): boolean => permission.has(scope, scope.startsWith('fs.') ? notGranted() : undefined);
  const more = scopes.filter(scope => !granted.includes(scope) && has(scope));
  if (more.length > 0) return `may also use ${more.join(', ')}`;
  return granted.includes('fs.read') || isRefused() ? undefined : 'is only warned of what it may not do';
}

/** A file that only a permission for all files covers. */
function notGranted(): string {
  return `/${randomUUID()}`;
}

/** Whether a file that no permission covers is refused, and not just missing. */
function isRefused(): boolean {
  try {
    closeSync(openSync(notGranted(), 'r'));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
  }
}
