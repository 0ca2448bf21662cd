import { expect } from 'chai';
import { takeWhole } from '../../../src/web/light/response.js';
import { replacedWeb } from '../../kit/replaced-web.js';

/** The web's own class, which the light one stands for. */
const Real = Response;

type Arguments = ConstructorParameters<typeof Response>;

/** What anybody can see of a response, or of the error in its place. */
async function seen(make: () => Response): Promise<unknown> {
  try {
    const response = make();
    const { status, ok, statusText, type, url, redirected, bodyUsed } = response;
    const headers = [...response.headers];
    const cookies = response.headers.getSetCookie();
    const hasBody = response.body !== null;
    const text = await response.text();
    return { status, ok, statusText, type, url, redirected, bodyUsed, headers, cookies, hasBody, text, usedAfter: response.bodyUsed };
  } catch (error) {
    return (error as Error).name;
  }
}

describe('the light Response', () => {
  let restore: (() => void) | undefined;
  before(() => (restore = replacedWeb()));
  after(() => restore?.());

  const untyped = (value: unknown): never => value as never;
  const cases: Record<string, () => Arguments> = {
    nothing: () => [],
    null: () => [null],
    text: () => ['text'],
    'empty text': () => [''],
    'text with a type': () => ['text', { headers: { 'Content-Type': 'a/b' } }],
    bytes: () => [new Uint8Array([104, 105])],
    'an ArrayBuffer': () => [new Uint8Array([104, 105]).buffer],
    'a DataView': () => [new DataView(new Uint8Array([104, 105]).buffer)],
    'a stream': () => [new Blob(['ab']).stream()],
    'a Blob': () => [new Blob(['ab'], { type: 'x/y' })],
    URLSearchParams: () => [new URLSearchParams({ a: '1' })],
    'a number': () => [untyped(7)],
    'a status': () => ['x', { status: 418 }],
    'a status as text': () => ['x', { status: untyped('418') }],
    'no status': () => ['x', { status: 99 }],
    'half a status': () => ['x', { status: 200.5 }],
    'a body where there is none': () => ['x', { status: 204 }],
    'none where there is none': () => [null, { status: 204 }],
    'a status text': () => ['x', { status: 200, statusText: 'Fine' }],
    'a wrong status text': () => ['x', { statusText: 'a\nb' }],
    Headers: () => ['x', { headers: new Headers({ a: '1' }) }],
    pairs: () => [
      'x',
      {
        headers: [
          ['a', '1'],
          ['a', '2'],
          ['set-cookie', 'a'],
          ['set-cookie', 'b'],
        ],
      },
    ],
    'a cookie': () => ['x', { headers: { 'Set-Cookie': 'a=1' } }],
    'two spellings': () => ['x', { headers: { 'X-A': '1', 'x-a': '2' } }],
    'blanks around a value': () => ['x', { headers: { a: ' 1\t' } }],
    'a value of latin letters': () => ['x', { headers: { a: 'é' } }],
    'a value with a line break': () => ['x', { headers: { a: '1\r\nb: 2' } }],
    'a value that is no text': () => ['x', { headers: { a: untyped(1) } }],
    'a name with a blank': () => ['x', { headers: { 'a b': '1' } }],
    'an empty value': () => ['x', { headers: { a: '' } }],
    'init null': () => ['x', untyped(null)],
    'init that is no object': () => ['x', untyped(1)],
  };
  for (const [name, parts] of Object.entries(cases)) {
    it(`is what the web's own is, of ${name}`, async () => {
      expect(await seen(() => new Response(...parts()))).to.deep.equal(await seen(() => new Real(...parts())));
    });
  }

  it("has the web's own static methods", async () => {
    for (const make of [
      (of: typeof Response) => of.json({ a: 1 }),
      (of: typeof Response) => of.json(null, { status: 201, headers: { 'Content-Type': 'a/b', 'x-c': 'd' } }),
      (of: typeof Response) => of.json(untyped(() => 1)),
      (of: typeof Response) => of.json('x', { status: 204 }),
      (of: typeof Response) => of.redirect('http://x/', 302),
      (of: typeof Response) => of.error(),
    ])
      expect(await seen(() => make(Response))).to.deep.equal(await seen(() => make(Real)));
  });

  it('is an instance of both classes, as those of fetch() are, and may be extended', () => {
    const light = new Response('x');
    expect([light instanceof Response, light instanceof Real, new Real('x') instanceof Response]).to.deep.equal([true, true, true]);
    class Special extends Response {
      readonly special = true;
    }
    const special = new Special('x', { status: 201 });
    expect([special instanceof Special, special instanceof Response, special.special, special.status]).to.deep.equal([
      true,
      true,
      true,
      201,
    ]);
    expect([light instanceof Special, new Real('x') instanceof Special, {} instanceof Response]).to.deep.equal([false, false, false]);
    expect(Object.prototype.toString.call(light)).to.equal('[object Response]');
    expect(Response.name).to.equal('Response');
  });

  it('keeps what was done with its headers, in what is sent, in its clones and beside its stream', async () => {
    const response = new Response('x', { headers: { a: '1' } });
    response.headers.set('b', '2');
    const clone = response.clone();
    expect([clone.headers.get('b'), await clone.text()]).to.deep.equal(['2', 'x']);
    response.headers.append('Set-Cookie', 'c');
    expect(response.clone().headers.getSetCookie()).to.deep.equal(['c']);
    expect(response.headers).to.equal(response.headers);
    const sent = new Response('x');
    sent.headers.append('Set-Cookie', 'a');
    sent.headers.append('Set-Cookie', 'b');
    expect(takeWhole(sent)!.headers).to.deep.equal({ 'content-type': 'text/plain;charset=UTF-8', 'set-cookie': ['a', 'b'] });
  });

  it('is sent once, without a stream only where none was asked for, and copies the bytes that it is given', async () => {
    const bytes = new Uint8Array([1, 2]);
    const response = new Response(bytes);
    bytes.fill(0);
    expect([...(takeWhole(response)!.body as Uint8Array)]).to.deep.equal([1, 2]);
    expect(takeWhole(response)).to.equal(undefined);
    expect(response.bodyUsed).to.equal(true);
    expect(
      await response.text().then(
        () => 'read',
        (error: Error) => error.name,
      ),
    ).to.equal('TypeError');
    const touched = new Response('x');
    expect(touched.body).to.not.equal(null);
    expect(takeWhole(touched)).to.equal(undefined);
    expect(takeWhole(new Real('x'))).to.equal(undefined);
  });
});
