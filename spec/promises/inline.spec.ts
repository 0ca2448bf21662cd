import { expect } from 'chai';
import { realClock } from '../../src/clock.js';
import { AbortError, BoundaryError, WorkerTimeoutError } from '../../src/errors.js';
import { inlineHost } from '../../src/hosts/inline.js';
import { serveInline } from '../../src/tasks/index.js';
import { duplexPair } from '../../src/wire/link/duplex-pair.js';
import { Owner, Workforce } from '../../src/workers/index.js';
import type { WorkerSettings } from '../../src/blueprint/types.js';
import { atEnd } from '../kit/index.js';
import { loaded } from '../kit/workers/worker-fixture.js';
import { rejection } from '../workers/support/rig.js';
import { crew } from './support/crew.js';
import type { CrewClient } from './support/quarters.js';

describe('an inline worker', () => {
  const open = async (settings: Partial<WorkerSettings> = {}): Promise<CrewClient> => {
    const blueprint = crew({ runtime: 'inline', ...settings });
    const host = inlineHost({ pair: duplexPair, start: serveInline(() => Promise.resolve(loaded(blueprint))) });
    const workforce = new Workforce([blueprint], { clock: realClock, host: () => host });
    atEnd(() => workforce.close(1000));
    await workforce.start(blueprint, undefined, undefined);
    return workforce.client('crew', new Owner('app', 'app')) as unknown as CrewClient;
  };

  it('answers in the same process, with a copy of the argument', async () => {
    const client = await open();
    expect(await client.pid()).to.equal(process.pid);
    const input = { a: [1] };
    const output = await client.echo(input);
    expect(output).to.deep.equal(input);
    expect(output).to.not.equal(input);
  });

  it('streams both ways', async () => {
    const client = await open();
    const got: number[] = [];
    for await (const item of client.count(100)) got.push(item);
    expect(got).to.have.length(100);
    expect(await client.sum(undefined, { send: [1, 2, 3] })).to.equal(6);
  });

  it('is told to give up, and is replaced when its task does not settle in time', async () => {
    const client = await open({ timeout: 100 });
    const control = new AbortController();
    const obeyed = rejection(client.obey(1, { signal: control.signal }));
    control.abort();
    expect(await obeyed).to.be.instanceOf(AbortError);
    expect(await rejection(client.obey(1))).to.be.instanceOf(WorkerTimeoutError);
    expect(await client.echo('next')).to.equal('next');
  });

  it('checks what crosses like any other', async () => {
    const client = await open();
    expect(await rejection(client.sum(undefined, { send: ['no number'] }))).to.be.instanceOf(BoundaryError);
  });
});
