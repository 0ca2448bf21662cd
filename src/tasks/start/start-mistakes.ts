import { ConfigurationError, ProtocolError } from '../../errors.js';

/** Node's codes for a module that is not found, not allowed or not understood. */
const NOT_LOADED =
  /^(?:ERR_)?(?:MODULE_NOT_FOUND|UNKNOWN_|UNSUPPORTED_|REQUIRE_|PACKAGE_|INVALID_MODULE_SPECIFIER|INVALID_PACKAGE_|INVALID_TYPESCRIPT_)/;

/**
 * True where a worker that could not start cannot start the next time either: its class or its module is wrong, and not what it needs
 * (a database, a file) missing for the moment.
 * @param importing the module was still being imported
 */
export function isPermanent(error: unknown, importing: boolean): boolean {
  if (error instanceof ConfigurationError || error instanceof ProtocolError) return true;
  if (!importing) return false;
  return (
    error instanceof SyntaxError || error instanceof ReferenceError || NOT_LOADED.test(String((error as { code?: unknown } | null)?.code))
  );
}
