/** Scopes of `process.permission.has()` that are not named as their flag is. */
const SCOPES: Readonly<Record<string, string>> = { 'child-process': 'child', addons: 'addon' };

/**
 * The scope that a flag of Node's permission model grants.
 * @example scopeOf('--allow-fs-read') // 'fs.read'
 */
export function scopeOf(flag: string): string {
  const name = flag.replace(/^--allow-/, '');
  return SCOPES[name] ?? name.replaceAll('-', '.');
}
