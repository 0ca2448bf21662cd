import { show } from '../../option-rules.js';
import { METHODS } from 'node:http';
import { ownDeclarations, type MemberDeclaration } from '../../decorators/metadata.js';
import { lineage } from '../lineage.js';
import { validatorOf } from '../members.js';
import type { Report } from '../mistakes.js';
import { paramNames, parseRoutePath, routeKey } from './route-path.js';
import type { RouteBlueprint, RoutePart } from './route-types.js';
import { propertiesOf } from './schema-shape.js';
import type { Ctor } from '../types.js';

type RouteDeclaration = Extract<MemberDeclaration, { readonly decorator: 'Route' }>;

const PARTS: readonly (RoutePart | 'response')[] = ['params', 'query', 'headers', 'body', 'response'];
/** Methods that are no requests for a path: a tunnel, and an echo of what may be secret. */
const REFUSED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

function readRoute({ key, as, method, path, schemas }: RouteDeclaration, report: Report): RouteBlueprint | undefined {
  if (typeof method !== 'string' || !METHODS.includes(method) || REFUSED.has(method)) {
    report(key, `@${as} names the method ${show(method)}`, "name a method of HTTP in capitals: @Route('PROPFIND', '/files/*')");
    return undefined;
  }
  const segments = parseRoutePath(path);
  if ('wrong' in segments) {
    report(key, `@${as}: ${segments.wrong}`, segments.remedy);
    return undefined;
  }
  if (typeof schemas !== 'object' || schemas === null) {
    report(key, `what @${as} was given beside its path is ${String(schemas)}`, `write { ${PARTS.join(', ')} }, each a schema`);
    return undefined;
  }
  const given = Object.fromEntries(Object.entries(schemas).filter(([, schema]) => schema !== undefined));
  for (const name of Object.keys(given).filter(each => !PARTS.includes(each as RoutePart)))
    report(key, `@${as} has no schema '${name}'`, `it may have ${PARTS.join(', ')}`);
  const route = { key, as, method, path: path as string, segments, names: paramNames(segments) };
  const validate = Object.fromEntries(
    PARTS.flatMap(part => {
      const validator = validatorOf(given[part], key, `\`${part}\` of @${as}('${route.path}')`, report);
      return validator ? [[part, validator]] : [];
    }),
  );
  checkParams(route, given['params'], report);
  return { ...route, schemas: given as RouteBlueprint['schemas'], validate };
}

/** A property that no path has would never be there. */
function checkParams({ key, as, path, names }: Omit<RouteBlueprint, 'schemas' | 'validate'>, params: unknown, report: Report): void {
  if (typeof params !== 'object' || params === null) return;
  for (const name of Object.keys(propertiesOf(params) ?? {}).filter(each => !names.includes(each))) {
    const has = names.length > 0 ? `has ${names.map(each => `'${each}'`).join(', ')}` : 'has no parameters';
    report(key, `\`params\` of @${as} names '${name}', and the path '${path}' ${has}`, `write '/:${name}' in the path, or leave it out`);
  }
}

/** Reports routes of one class of which only the first would be called. A subclass may take the place of its base's route. */
function checkTwice(cls: Ctor, routes: ReadonlyMap<MemberDeclaration, RouteBlueprint>, report: Report): void {
  for (const each of lineage(cls)) {
    const known = new Map<string, RouteBlueprint>();
    for (const member of ownDeclarations(each).members) {
      const route = routes.get(member);
      if (!route) continue;
      const other = known.get(routeKey(route));
      if (other)
        report(
          route.key,
          `@${route.as}('${route.path}') is never called: ${String(other.key)}() answers ${route.method} '${other.path}'`,
          'give it another method or path, or remove one of them',
        );
      else known.set(routeKey(route), route);
    }
  }
}

/** The routes of a class with those of its bases; of two that answer the same the subclass has the first word. */
export function readRoutes(cls: Ctor, members: readonly MemberDeclaration[], report: Report): readonly RouteBlueprint[] {
  const read = new Map<MemberDeclaration, RouteBlueprint>();
  for (const member of members) {
    const route = member.decorator === 'Route' ? readRoute(member, report) : undefined;
    if (route) read.set(member, route);
  }
  checkTwice(cls, read, report);
  const routes = new Map<string, RouteBlueprint>();
  for (const route of read.values()) if (!routes.has(routeKey(route))) routes.set(routeKey(route), route);
  return [...routes.values()];
}
