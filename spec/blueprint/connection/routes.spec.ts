import { expect } from 'chai';
import { z } from 'zod';
import '../../../src/http/index.js';
import { readConnection, readModule } from '../../../src/blueprint/index.js';
import { OnRequest } from '../../../src/decorators/connection/connection-hooks.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { Module } from '../../../src/decorators/module.js';
import { Get, Post, Route } from '../../../src/decorators/connection/routes.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import { told, untyped } from '../kit.js';

describe('reading routes', () => {
  it('finds every mistake of a class at once', () => {
    @Connection({ listen: 'http://127.0.0.1:8080' })
    class Wrong {
      @Get('orders') noSlash() {}
      @Get('/a//b') empty() {}
      @Get('/:id.json') part() {}
      @Get('/:id(\\d+)') regexp() {}
      @Get('/{id}') braces() {}
      @Get('/a?') optional() {}
      @Get('/*/b') early() {}
      @Get('/a/../b') dots() {}
      @Get('/50%') broken() {}
      @Get('/:a/:a') twice() {}
      @Get('/:__proto__') proto() {}
      @Route('get', '/lower') lower() {}
      @Route('TRACE', '/trace') trace() {}
      @Get('/orders/:id', { params: z.object({ id: z.string(), name: z.string() }) }) params() {}
      @Get('/plain', { params: z.object({ id: z.string() }) }) noParams() {}
      @Get('/schema', untyped({ query: { q: 'string' } })) schema() {}
      @Get('/other', untyped({ quary: z.object({}) })) typo() {}
      @Get('/same/:a') same() {}
      @Get('/same/:b') again() {}
      @Post('/same/:b') post() {}
      @Get('/st%61tic') static() {}
      @Get('/static') spelled() {}
    }
    expect(told(readConnection(Wrong).mistakes)).to.deep.equal([
      'Wrong.noSlash: @Get: its path is "orders"',
      "Wrong.empty: @Get: its path '/a//b' has an empty segment",
      "Wrong.part: @Get: its path '/:id.json' cannot be matched: ':id.json' is no parameter",
      "Wrong.regexp: @Get: its path '/:id(\\d+)' cannot be matched: ':id(\\d+)' is no parameter",
      "Wrong.braces: @Get: its path '/{id}' cannot be matched: '{id}' is no segment of a path",
      "Wrong.optional: @Get: its path '/a?' cannot be matched: 'a?' is no segment of a path",
      "Wrong.early: @Get: its path '/*/b' cannot be matched: '*' stands in '*'",
      "Wrong.dots: @Get: its path '/a/../b' cannot be matched: '..' names another path",
      "Wrong.broken: @Get: its path '/50%' cannot be matched: it has a '%' that two hexadecimal digits do not follow",
      "Wrong.twice: @Get: its path '/:a/:a' has two parameters 'a'",
      "Wrong.proto: @Get: its path '/:__proto__' cannot be matched: ':__proto__' is no parameter",
      'Wrong.lower: @Route names the method "get"',
      'Wrong.trace: @Route names the method "TRACE"',
      "Wrong.params: `params` of @Get names 'name', and the path '/orders/:id' has 'id'",
      "Wrong.noParams: `params` of @Get names 'id', and the path '/plain' has no parameters",
      "Wrong.schema: `query` of @Get('/schema') is not a schema",
      "Wrong.typo: @Get has no schema 'quary'",
      "Wrong.again: @Get('/same/:b') is never called: same() answers GET '/same/:a'",
      "Wrong.spelled: @Get('/static') is never called: static() answers GET '/st%61tic'",
    ]);
  });

  it('takes them on requests only, and on connections only', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0' })
    class Messages {
      @Get('/') get() {}
    }
    @Worker('routes spec: worker')
    class InWorker {
      @Get('/') protected get() {}
    }
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Nothing {}
    @Module({ connections: [Messages, Nothing], workers: [InWorker] })
    class AppModule {}
    const { mistakes } = await readModule(AppModule);
    expect(told(mistakes)).to.include.members([
      "Messages.get: @Get('/') answers requests, and 'tcp://127.0.0.1:0' brings messages",
      'InWorker.get: @Get cannot stand on a @Worker',
      "Nothing.listen: 'http://127.0.0.1:0' brings requests, and there is no @OnRequest and no route",
    ]);
  });

  it('lets classes share a url, and no two of them answer the same there', async () => {
    @Connection({ listen: 'http://127.0.0.1:8080' })
    class One {
      @Get('/orders/:id') get() {}
    }
    @Connection({ listen: 'http://127.0.0.1:8080/' })
    class Two {
      @Get('/orders/:name') get() {}
      @Post('/orders') post() {}
    }
    @Connection({ listen: 'http://127.0.0.1:8080/elsewhere' })
    class Three {
      @Get('/orders/:name') get() {}
      @OnRequest() rest() {
        return new Response();
      }
    }
    @Module({ connections: [One, Two, Three] })
    class AppModule {}
    const { mistakes } = await readModule(AppModule);
    expect(told(mistakes)).to.deep.equal(["Two.get: @Get('/orders/:name') at 'http://127.0.0.1:8080/' is answered by One, too"]);
  });
});
