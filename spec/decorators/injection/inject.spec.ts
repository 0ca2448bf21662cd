import 'reflect-metadata';
import { expect } from 'chai';
import { container, injectable } from 'tsyringe';
import type { WorkerClient } from '../../../src/decorators/worker/client-types.js';
import { InjectOptions, InjectWorker } from '../../../src/decorators/injection/inject.js';
import { OPTIONS_TOKEN, workerReferenceOf, workerTokenOf, workerTokens } from '../../../src/decorators/injection/injection-tokens.js';
import { ownDeclarations } from '../../../src/decorators/metadata.js';

class Search {
  look(query: string): string {
    return query;
  }
}

@injectable()
class Desk {
  constructor(
    @InjectWorker(Search) readonly search: WorkerClient<Search>,
    @InjectWorker('search', { key: 'gold', owner: 'app' }) readonly gold: WorkerClient<Search>,
    @InjectOptions() readonly options: unknown,
  ) {}
}

describe('@InjectWorker and @InjectOptions', () => {
  it('note which parameter asks for which client', () => {
    expect(ownDeclarations(Desk).parameters).to.have.deep.members([
      { index: 0, kind: 'worker', worker: Search, key: undefined, owner: undefined },
      { index: 1, kind: 'worker', worker: 'search', key: 'gold', owner: 'app' },
      { index: 2, kind: 'options' },
    ]);
  });

  it('work where tsyringe itself builds the class', () => {
    const child = container.createChildContainer();
    for (const [token, reference] of workerTokens()) child.register(token, { useValue: reference });
    child.register(OPTIONS_TOKEN, { useValue: { quality: 3 } });
    const desk = child.resolve(Desk);
    expect(desk.search).to.deep.equal({ worker: Search, key: undefined, owner: undefined });
    expect(desk.gold).to.deep.equal({ worker: 'search', key: 'gold', owner: 'app' });
    expect(desk.options).to.deep.equal({ quality: 3 });
  });

  it('have one token for the same worker, key and owner, and others for others', () => {
    const reference = { worker: Search, key: 'a', owner: undefined } as const;
    expect(workerTokenOf(reference)).to.equal(workerTokenOf({ ...reference }));
    expect(workerTokenOf(reference)).not.to.equal(workerTokenOf({ ...reference, key: undefined }));
    expect(workerTokenOf(reference)).not.to.equal(workerTokenOf({ ...reference, owner: 'app' }));
    expect(workerTokenOf(reference)).not.to.equal(workerTokenOf({ ...reference, worker: 'Search' }));
    expect(workerReferenceOf(workerTokenOf(reference))).to.deep.equal(reference);
    expect(workerReferenceOf(Symbol('other'))).to.equal(undefined);
  });
});
