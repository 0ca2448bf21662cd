import type { Duration } from '../../units.js';

/** The option `cors` of an `http:` endpoint: the rights of pages of other origins. */
export interface CorsOptions {
  /** `'*'`: any. A list: those, as browsers write them: 'https://app.example'. A function says it for each; it must not wait. */
  origin: '*' | readonly string[] | ((origin: string) => boolean);
  /** Methods that they may use. Default: those that the path has routes for, else GET, HEAD, PUT, PATCH, POST and DELETE. */
  methods?: readonly string[] | undefined;
  /** Header fields that they may send. Default: those that are asked for. */
  allowedHeaders?: readonly string[] | undefined;
  /** Header fields of the answer that they may read, besides the usual ones. */
  exposedHeaders?: readonly string[] | undefined;
  /** Whether they may send cookies and the like. Not together with `'*'`. Default false. */
  credentials?: boolean | undefined;
  /** How long a browser need not ask again. Default: its own, 5 seconds. */
  maxAge?: Duration | undefined;
}
