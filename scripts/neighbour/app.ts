/** The application of `scripts/neighbour.ts`: what is attacked, and what an honest neighbour uses meanwhile. Prints its urls. */
import { bootstrap, Connection, InjectWorker, Module, OnData, OnError, Task, Worker, type WorkerClient } from 'packet-ts';
import { json, lines, objects } from 'packet-ts/framing';
import { OnRequest, Post, type RouteInput } from 'packet-ts/http';
import 'packet-ts/websocket';
import { z } from 'zod';

@Worker('neighbour_calc', { timeout: '5s', maxWorkers: 1 })
export class CalcWorker {
  @Task({ input: z.number(), output: z.number() }) next(n: number): number {
    return n + 1;
  }
}

/** What the neighbour uses: a line is answered by the pool. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Honest {
  constructor(@InjectWorker(CalcWorker) private readonly calc: WorkerClient<CalcWorker>) {}
  @OnData() async next(line: string): Promise<string> {
    return String(await this.calc.next(Number(line)));
  }
}

@Connection({ listen: 'ws://127.0.0.1:0', framing: lines() })
class Sockets {
  @OnData() echo(line: string): string {
    return line;
  }
}

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  constructor(@InjectWorker(CalcWorker) private readonly calc: WorkerClient<CalcWorker>) {}
  @OnRequest() async answer(request: Request): Promise<Response> {
    return new Response(request.url.endsWith('/pool') ? String(await this.calc.next(1)) : 'hello');
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: objects() })
class Objects {
  @OnData() echo(value: unknown): unknown {
    return value;
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: json(), maxMessageSize: '2mb' })
class Json {
  @OnData(z.array(z.object({ id: z.number() }))) take(list: readonly { id: number }[]): { count: number } {
    return { count: list.length };
  }
  @OnError() explain(error: Error): { error: string } {
    return { error: error.message };
  }
}

const BODY = { body: z.array(z.object({ id: z.number() })) };
@Connection({ listen: 'http://127.0.0.1:0', maxMessageSize: '2mb' })
class Bodies {
  @Post('/', BODY) take({ body }: RouteInput<typeof BODY>): { count: number } {
    return { count: body.length };
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: json(), maxConnections: 20 })
class Offended {
  @OnData() echo(value: unknown): unknown {
    return value;
  }
}

const classes = [Honest, Sockets, Web, Objects, Json, Bodies, Offended];
@Module({ connections: classes, workers: [CalcWorker] })
class AppModule {}

const app = await bootstrap(AppModule);
process.stdout.write(`${JSON.stringify(Object.fromEntries(classes.map(cls => [cls.name, app.address(cls).port])))}\n`);
