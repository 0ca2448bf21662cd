import { schemeOf } from '../../blueprint/index.js';
import { propertiesOf, kindOfSchema } from '../../blueprint/connection/schema-shape.js';
import type { RouteBlueprint } from '../../blueprint/connection/route-types.js';
import type { AppBlueprint, ConnectionBlueprint } from '../../blueprint/types.js';
import { schemeNamed } from '../../endpoints/endpoint.js';
import { JsonSchemas, type JsonSchema } from './json-schema.js';

/** Parts of an OpenAPI document that its routes do not say. */
export interface OpenApiOptions {
  /** Default: the application's name, and version '0.0.0'. */
  readonly info?:
    { readonly title?: string | undefined; readonly version?: string | undefined; readonly [more: string]: unknown } | undefined;
  /** Where it is served, `[{ url: 'https://api.example' }]`. Default: where the document comes from. */
  readonly servers?: readonly { readonly url: string; readonly [more: string]: unknown }[] | undefined;
}

/** An operation of an OpenAPI document. */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** A parameter of an operation. */
export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly description?: string;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly [more: string]: unknown };
  readonly servers?: OpenApiOptions['servers'];
  /** Path → method in lower case → operation. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components?: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

const URL_PATH = /^[a-z]+:\/\/[^/?#]*(\/[^?#]*)?/i;
/** Methods that a path item of OpenAPI can have. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']);
const REST = { name: 'rest', description: 'the rest of the path, with its slashes' };
const TEXT = 'text/plain';
const JSON_TYPE = 'application/json';

/** The answer to a request that does not fit. */
const MISFIT: JsonSchema = {
  type: 'object',
  required: ['message', 'issues'],
  properties: {
    message: { type: 'string' },
    issues: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'array', items: { type: ['string', 'number'] } }, message: { type: 'string' } },
      },
    },
  },
};

/** Writes the routes of connections as one document. */
class Writer {
  readonly #schemas = new JsonSchemas();
  readonly #paths: Record<string, Record<string, OpenApiOperation>> = {};
  readonly #ids = new Set<string>();

  add({ name, routes }: ConnectionBlueprint, base: string): void {
    for (const route of routes) {
      if (!METHODS.has(route.method)) continue;
      const path = base + pathOf(route);
      const item = (this.#paths[path] ??= {});
      item[route.method.toLowerCase()] ??= this.#operation(route, `${name}_${String(route.key)}`);
    }
  }

  document(info: OpenApiDocument['info'], servers: OpenApiOptions['servers']): OpenApiDocument {
    const { components } = this.#schemas;
    return {
      openapi: '3.1.0',
      info,
      ...(servers && { servers }),
      paths: this.#paths,
      ...(Object.keys(components).length > 0 && { components: { schemas: components } }),
    };
  }

  #operation(route: RouteBlueprint, id: string): OpenApiOperation {
    const { body, response, params, query, headers } = route.schemas;
    const parameters = [...this.#pathParameters(route), ...this.#parameters(query, 'query'), ...this.#parameters(headers, 'header')];
    const isChecked = [params, query, headers, body].some(schema => schema !== undefined);
    return {
      operationId: this.#freeId(id),
      ...(parameters.length > 0 && { parameters }),
      ...(body && {
        requestBody: { required: !(route.validate.body?.(undefined).issues === undefined), content: this.#content(body, 'input') },
      }),
      responses: {
        200: response ? { description: 'the answer', content: this.#content(response, 'output') } : { description: 'the answer' },
        ...(isChecked && { 400: { description: 'the request does not fit', content: { [JSON_TYPE]: { schema: MISFIT } } } }),
      },
    };
  }

  #freeId(id: string): string {
    let free = id;
    for (let n = 2; this.#ids.has(free); n++) free = `${id}_${n}`;
    this.#ids.add(free);
    return free;
  }

  #content(schema: NonNullable<RouteBlueprint['schemas']['body']>, io: 'input' | 'output'): Content {
    return { [kindOfSchema(schema) === 'string' ? TEXT : JSON_TYPE]: { schema: this.#schemas.of(schema, io) } };
  }

  #pathParameters({ names, schemas: { params } }: RouteBlueprint): OpenApiParameter[] {
    const properties = params && propertiesOf(params);
    return names.map(name => {
      const property = properties?.[name];
      const schema = property ? this.#schemas.of(property, 'input') : { type: 'string' };
      const base = name === '*' ? REST : { name };
      return { ...base, in: 'path', required: true, schema };
    });
  }

  /** The properties of an object schema. One that cannot be looked into is not told of. */
  #parameters(schema: RouteBlueprint['schemas']['query'], place: 'query' | 'header'): OpenApiParameter[] {
    if (!schema) return [];
    const { properties = {}, required = [] } = this.#schemas.of(schema, 'input') as {
      readonly properties?: Readonly<Record<string, JsonSchema>>;
      readonly required?: readonly string[];
    };
    return Object.entries(properties).map(([name, property]) => ({ name, in: place, required: required.includes(name), schema: property }));
  }
}

/** A route's path as OpenAPI writes it. */
function pathOf({ segments }: RouteBlueprint): string {
  const texts = segments.map(segment =>
    segment.kind === 'text' ? segment.text : `{${segment.kind === 'param' ? segment.name : REST.name}}`,
  );
  return `/${texts.join('/')}`;
}

/** The routes of an application, and of its workers, as an OpenAPI 3.1 document. */
export function openApiOf(
  { connections, inside }: Pick<AppBlueprint, 'connections' | 'inside'>,
  name: string,
  { info = {}, servers }: OpenApiOptions,
): OpenApiDocument {
  const writer = new Writer();
  for (const connection of [...connections, ...[...inside.values()].flatMap(worker => worker.connections)]) {
    const bases = connection.listen().flatMap(endpoint => {
      if (schemeNamed(schemeOf(endpoint))?.serves !== 'requests') return [];
      return [(URL_PATH.exec(endpoint.url)?.[1] ?? '').replace(/\/$/, '')];
    });
    for (const base of new Set(bases)) writer.add(connection, base);
  }
  return writer.document({ ...info, title: info.title ?? name, version: info.version ?? '0.0.0' }, servers);
}
