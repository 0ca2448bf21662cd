import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { normalPath } from '../../src/endpoints/normal-path.js';
import { decodedPaths, normalizeTarget } from '../../src/web/request-target.js';

interface Asked {
  readonly method?: string;
  readonly hosts?: readonly string[];
}

/** The target that a handler gets; undefined: 400. */
function targetOf(url: string, { method = 'GET', hosts = ['a'] }: Asked = {}): string | undefined {
  const rawHeaders = hosts.flatMap(host => ['Host', host]);
  const request = { method, url, rawHeaders, headers: { host: hosts[0] } } as unknown as IncomingMessage;
  return normalizeTarget(request) ? request.url : undefined;
}

describe('the target of a request', () => {
  it('has one spelling', () => {
    const spellings: Readonly<Record<string, string>> = {
      '/': '/',
      '/a/b.c?x=/../%2e': '/a/b.c?x=/../%2e',
      '/./admin/x': '/admin/x',
      '/y/%2e%2E/admin/x': '/admin/x',
      '/y\\..\\admin\\x': '/admin/x',
      '/%61%64min/%7Ex': '/admin/~x',
      '/admin%2fx': '/admin%2fx',
      '/..': '/',
      '//a.b/x': '//a.b/x',
      '/\u00e4': '/%C3%A4',
      'http://a/x?y': '/x?y',
      'HTTPS://A?y': '/?y',
    };
    for (const [url, expected] of Object.entries(spellings)) expect(targetOf(url), url).to.equal(expected);
    expect(targetOf('*', { method: 'OPTIONS' })).to.equal('/*');
  });

  it('is refused where it or Host says something that a server cannot mean', () => {
    for (const url of [
      '*',
      'x',
      '',
      '/a#b',
      '/%',
      '/%2',
      '/%%36%31',
      'ftp://a/x',
      'http://b/x',
      'http://u:p@a/x',
      'http:///x',
      'http:/x',
      'ws://a/',
    ])
      expect(targetOf(url), url).to.equal(undefined);
    for (const host of ['a b', 'a/b', 'u@a', 'a:b', 'a:1:2', 'a\\b', '[x]', ''])
      expect(targetOf('/', { hosts: [host] }), host).to.equal(undefined);
    expect(targetOf('/', { hosts: ['a', 'a'] })).to.equal(undefined);
    expect(targetOf('/', { hosts: [] })).to.equal('/');
    for (const host of ['a', 'a:', 'a:1', '127.0.0.1:80', '[::1]:80']) expect(targetOf('/', { hosts: [host] }), host).to.equal('/');
  });

  it('stays as it is when it is normalized again, and is what a URL makes of it', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2E',
      '%61',
      '%2f',
      '%5C',
      '%25',
      '%',
      'a',
      'b c',
      '?',
      ';',
      '\u00fc',
      '~',
      "'",
      '"',
      '|',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const path = normalPath(`/${pieces.filter(text => text !== '?').join('')}`);
        if (path === undefined) return;
        expect(normalPath(path)).to.equal(path);
        expect(new URL(`http://a${path}`).pathname).to.equal(path);
      }),
      { numRuns: 500 },
    );
  });

  it('is decoded only to compare it', () => {
    expect(decodedPaths('/a/b')).to.deep.equal([]);
    expect(decodedPaths('/a%2Fb')).to.include('/a/b');
    expect(decodedPaths('//a///b')).to.include('/a/b');
    expect(decodedPaths('/x%5c..%2fa')).to.include('/a');
    expect(decodedPaths('/x//../a')).to.include.members(['/x/a', '/a']);
  });
});
