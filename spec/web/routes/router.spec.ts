import { expect } from 'chai';
import fc from 'fast-check';
import { paramNames, parseRoutePath } from '../../../src/blueprint/connection/route-path.js';
import type { RouteBlueprint } from '../../../src/blueprint/connection/route-types.js';
import { paramsOf, Router } from '../../../src/web/routes/router.js';

function route(text: string): RouteBlueprint {
  const [method = '', path = ''] = text.split(' ');
  const segments = parseRoutePath(path);
  if ('wrong' in segments) throw new Error(segments.wrong);
  return { key: text, as: 'Get', method, path, segments, names: paramNames(segments), schemas: {}, validate: {} };
}

function routerOf(texts: readonly string[], base?: string): Router {
  return new Router(
    texts.map(text => route(text)),
    base,
  );
}

describe('Router', () => {
  it('tries text before a parameter and a parameter before the rest, and goes back where a path leads nowhere', () => {
    const router = routerOf(['GET /a/:x/c', 'GET /:y/b/d', 'GET /a/b/c', 'GET /a/*', 'POST /a/b/c', 'GET /:y/:z/:last']);
    const found = (method: string, path: string): unknown => {
      const match = router.match(method, path);
      return match && [match.route.key, paramsOf(match)];
    };
    expect(found('GET', '/a/b/c')).to.deep.equal(['GET /a/b/c', {}]);
    expect(found('GET', '/a/x/c')).to.deep.equal(['GET /a/:x/c', { x: 'x' }]);
    expect(found('GET', '/a/b/d')).to.deep.equal(['GET /a/*', { '*': 'b/d' }]);
    expect(found('GET', '/z/b/d')).to.deep.equal(['GET /:y/b/d', { y: 'z' }]);
    expect(found('GET', '/z/b/e')).to.deep.equal(['GET /:y/:z/:last', { y: 'z', z: 'b', last: 'e' }]);
    expect(found('POST', '/a/b/d')).to.equal(undefined);
    expect([...router.methodsAt('/a/b/c')].toSorted()).to.deep.equal(['GET', 'POST']);
    expect([...router.methodsAt('/a')]).to.deep.equal([]);
  });

  it('answers below its base', () => {
    const router = routerOf(['GET /', 'GET /x/:y'], '/api');
    for (const path of ['/api', '/api/']) expect(router.match('GET', path)?.route.key).to.equal('GET /');
    expect(router.match('GET', '/api/x/1')?.route.key).to.equal('GET /x/:y');
    for (const path of ['/', '/x/1', '/apix', '/api//', '/api/x/']) expect(router.match('GET', path), path).to.equal(undefined);
  });

  it('finds what comparing each route with the path finds', () => {
    const segment = fc.constantFrom('a', 'b', ':p', ':q');
    const paths = fc.array(fc.tuple(fc.uniqueArray(segment, { maxLength: 4 }), fc.boolean()), { maxLength: 12 });
    const asked = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 5 }).map(parts => `/${parts.join('/')}`);
    fc.assert(
      fc.property(paths, asked, (written, path) => {
        const texts = written.map(([parts, rest]) => `GET /${[...parts, ...(rest ? ['*'] : [])].join('/')}`);
        const fits = texts.some(text => {
          const pattern = text.slice(4).replace(/:\w/g, '[^/]+').replace('*', '.*');
          return new RegExp(`^${pattern}$`).test(path);
        });
        expect(routerOf(texts).match('GET', path) !== undefined).to.equal(fits);
      }),
    );
  });
});
