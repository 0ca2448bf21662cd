import { expect } from 'chai';
import { Connection, UsageError } from 'packet-ts';
import { Get, OnRequest, type Cookies, type CookieOptions, type RequestAbout } from 'packet-ts/http';
import { served } from '../kit/asked.js';

/** Serves one function, which is given the cookies. */
async function jar(use: (cookies: Cookies) => unknown) {
  @Connection({ listen: 'http://127.0.0.1:0' })
  class Jar {
    @Get('/') get(_input: unknown, { cookies }: RequestAbout) {
      return { is: use(cookies) ?? null };
    }
    @OnRequest() other(_request: Request, { cookies }: RequestAbout) {
      use(cookies);
      return new Response('x', { headers: { 'Set-Cookie': 'own=1' } });
    }
  }
  return served(Jar);
}

describe('cookies', () => {
  it('are read decoded, by names that mean nothing to JavaScript', async () => {
    const { ask } = await jar(cookies => [cookies.get('a'), cookies.get('__proto__'), cookies.get('toString'), Object.keys(cookies.all())]);
    const { text } = await ask('/', { headers: { cookie: 'a=%C3%A9; b="x"; a=2; __proto__=evil; broken=%E0%A4%A' } });
    expect(JSON.parse(text)).to.deep.equal({ is: ['é', 'evil', null, ['a', 'b', '__proto__', 'broken']] });
    expect(JSON.parse((await ask('/')).text)).to.deep.equal({ is: [null, null, null, []] });
  });

  it('are set with what a session needs, beside those of the Response, and removed', async () => {
    const { ask } = await jar(cookies => {
      cookies.set('session', 'a b;c', { maxAge: '7d' });
      cookies.set('open', '', { httpOnly: false, sameSite: 'none', secure: true, path: '/x', domain: 'a.example', partitioned: true });
      cookies.delete('old', { path: '/x' });
    });
    const own = [
      'session=a%20b%3Bc; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax',
      'open=; Domain=a.example; Path=/x; Secure; Partitioned; SameSite=None',
      'old=; Max-Age=0; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ];
    expect((await ask('/')).headers['set-cookie']).to.deep.equal(own);
    expect((await ask('/other')).headers['set-cookie']).to.deep.equal([...own, 'own=1']);
  });

  it('cannot carry another header, attribute or cookie, whatever their name, value, path or domain', async () => {
    const evil = ['a\r\nset-cookie: b=1', 'a;b', 'a\nb', 'a\0b', 'a=b', 'a b', '', 'é'];
    const refused: unknown[] = [];
    const { ask } = await jar(cookies => {
      for (const text of evil) {
        for (const set of [
          () => cookies.set(text, 'v'),
          () => cookies.set('path', 'v', { path: text || ';' }),
          () => cookies.set('domain', 'v', { domain: text || ';' }),
        ]) {
          try {
            set();
            refused.push('taken');
          } catch (error) {
            refused.push(error instanceof UsageError ? 'refused' : error);
          }
        }
        cookies.set('value', text);
      }
    });
    const { headers } = await ask('/');
    const values = headers['set-cookie']!.filter(line => line.startsWith('value='));
    expect(values).to.have.length(evil.length);
    for (const line of headers['set-cookie']!) {
      // Two attributes of ours and the path at most: nothing was added, nothing was ended.
      expect(line.split(';').length, line).to.be.below(6);
      expect(line).to.match(/^[\x20-\x7e]+$/);
    }
    for (const line of values) expect(line).to.match(/^value=[^;, ]*; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(refused.filter(what => what !== 'refused' && what !== 'taken')).to.deep.equal([]);
    expect(headers).to.not.have.property('b');
  });

  it('refuse options that are none, SameSite=None without Secure, and what comes too late', async () => {
    const wrong: unknown[] = [
      { httponly: true },
      { maxAge: 'soon' },
      { sameSite: 'none' },
      { sameSite: 'Lax' },
      { expires: new Date(NaN) },
    ];
    let late: (() => void) | undefined;
    const { ask } = await jar(cookies => {
      late ??= () => cookies.set('late', '1');
      return wrong.map(options => {
        try {
          cookies.set('a', '1', options as CookieOptions);
          return 'taken';
        } catch (error) {
          return (error as Error).name;
        }
      });
    });
    const { text, headers } = await ask('/');
    expect(JSON.parse(text)).to.deep.equal({ is: wrong.map(() => 'UsageError') });
    expect(headers).to.not.have.property('set-cookie');
    expect(late!).to.throw(UsageError, /the cookie 'late' comes too late/);
  });

  it('cost what they weigh: a header full of them is read in one pass', async () => {
    const many = Array.from({ length: 1_500 }, (_, i) => `${i.toString(36)}=1`).join('; ');
    const { ask } = await jar(cookies => Object.keys(cookies.all()).length);
    expect(JSON.parse((await ask('/', { headers: { cookie: many } })).text)).to.deep.equal({ is: 1_500 });
    // Node's limit for a head.
    expect((await ask('/', { headers: { cookie: 'a'.repeat(20_000) } })).status).to.equal(431);
  });
});
