import { callable, count, duration, either, flag, isObject, oneOf, shape, type Rule } from '../../option-rules.js';
import { fieldNames, httpMethods, origins } from './list-rules.js';

const SHAPE = shape(
  {
    origin: either(oneOf('*'), origins, callable),
    methods: httpMethods,
    allowedHeaders: fieldNames,
    exposedHeaders: fieldNames,
    credentials: flag,
    maxAge: either(duration, count(0)),
  },
  ['origin'],
);

/** Whether any page could read what a visitor may see: browsers refuse '*' with credentials, and a list with '*' would reflect all. */
function isForAnybody(origin: unknown): boolean {
  return origin === '*' || (Array.isArray(origin) && origin.includes('*'));
}

/** The option `cors`. */
export const cors: Rule = {
  expects:
    "{ origin: '*', a list of origins or a function, methods?, allowedHeaders?, exposedHeaders?, credentials?, maxAge? }, " +
    "and no 'null' and no '*' beside others or with credentials",
  fits: value => {
    if (!SHAPE.fits(value) || !isObject(value)) return false;
    const { origin, credentials, maxAge } = value;
    if (maxAge === false) return false;
    if (Array.isArray(origin) && (origin.includes('*') || origin.includes('null'))) return false;
    return credentials !== true || !isForAnybody(origin);
  },
};
