import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { Module } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { ModuleOptions } from '../../src/decorators/injection/provider-types.js';
import { atEnd } from './cleanup.js';

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks for a target as it is written: no client tidies it up. */
export function asked(port: number, path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const asking = ask({ port, host: '127.0.0.1', path, method, headers: headers as Record<string, string>, agent: false }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    asking.on('error', reject).end(body);
  });
}

/** Serves connections until the test has ended; `ask` asks the first one. */
export async function served(...connections: NonNullable<ModuleOptions['connections']>) {
  @Module({ connections })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  const { port, url } = app.address(connections[0] as Ctor);
  return { app, port, url, ask: (path: string, how?: Asking) => asked(port, path, how) };
}
