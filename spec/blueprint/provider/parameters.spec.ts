import 'reflect-metadata';
import { expect } from 'chai';
import { delay, inject, injectAll, injectable } from 'tsyringe';
import { parameterMistakes, readParameters } from '../../../src/blueprint/index.js';
import type { WorkerClient } from '../../../src/decorators/worker/client-types.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { InjectOptions, InjectWorker } from '../../../src/decorators/injection/inject.js';
import { told } from '../kit.js';

class Store {}
class Search {
  look() {}
}
interface Shape {
  readonly x: number;
}

@injectable()
class Base {
  constructor(
    readonly store: Store,
    @inject('config') readonly config: Shape,
    @InjectWorker(Search, { key: 'gold' }) readonly search: WorkerClient<Search>,
    @injectAll('plugin') readonly plugins: unknown[],
    @inject('maybe', { isOptional: true }) readonly maybe: unknown,
    @InjectOptions() readonly options: unknown,
  ) {}
}

const ALL = [
  { kind: 'token', token: Store },
  { kind: 'token', token: 'config', multiple: false, optional: false },
  { kind: 'worker', worker: Search, key: 'gold', owner: undefined },
  { kind: 'token', token: 'plugin', multiple: true, optional: false },
  { kind: 'token', token: 'maybe', multiple: false, optional: true },
  { kind: 'options' },
];

/** Its constructor is inherited. */
@Connection()
class Inheriting extends Base {}

/** What esbuild makes of it: no decorator that writes types, and no constructor. */
class Untyped extends Inheriting {}

/** A constructor of its own that asks for nothing. */
@Connection()
class Lonely extends Base {
  constructor() {
    super({}, { x: 1 }, undefined as never, [], undefined, undefined);
  }
}

@Connection()
class Interfaces {
  constructor(
    readonly shape: Shape,
    readonly store: Store,
    readonly text: string,
  ) {}
}

/** No decorator: the compiler writes nothing. */
class NoMetadata {
  constructor(
    readonly store: Store,
    readonly other: Store,
  ) {}
}

@Connection()
class Defaults {
  constructor(
    readonly store: Store,
    readonly size = 5,
    readonly name = 'x',
  ) {}
}

describe('constructor parameters', () => {
  it('are what types, @inject and decorators of ours say, also after tsyringe has changed the metadata in place', () => {
    expect(readParameters(Base)).to.deep.equal(ALL);
  });

  it('are inherited by a subclass without a constructor, with metadata or without', () => {
    expect(readParameters(Inheriting)).to.deep.equal(ALL);
    expect(readParameters(Untyped)).to.deep.equal(ALL);
    expect(readParameters(Lonely)).to.deep.equal([]);
  });

  it('keep a delayed class as it is', () => {
    const late = delay(() => Store);
    @injectable()
    class Late {
      constructor(@inject(late) readonly store: Store) {}
    }
    expect(readParameters(Late)).to.deep.equal([{ kind: 'token', token: late, multiple: false, optional: false }]);
  });

  it('that have a default and no token are left to the default', () => {
    expect(readParameters(Defaults)).to.deep.equal([{ kind: 'token', token: Store }]);
    expect(parameterMistakes(Defaults)).to.deep.equal([]);
  });

  it('that a base without a decorator declares: the remedy names the base, and decorators that an abstract one takes', () => {
    abstract class Base {
      constructor(readonly store: Store) {}
    }
    @Connection()
    class Derived extends Base {}
    const [mistake] = parameterMistakes(Derived);
    expect(mistake?.wrong).to.include('inherited from Base');
    expect(mistake?.remedy).to.include('put a decorator on Base (@Connection(), @Proxy() or @injectable() will do)');
  });

  it('whose type is no class are a mistake, by class and position', () => {
    expect(readParameters(Interfaces)).to.deep.equal([{ kind: 'unknown' }, { kind: 'token', token: Store }, { kind: 'unknown' }]);
    const mistakes = parameterMistakes(Interfaces);
    expect(told(mistakes)).to.deep.equal([
      'Interfaces.constructor, parameter 1: its type is no class, so nothing says what to inject',
      'Interfaces.constructor, parameter 3: its type is no class, so nothing says what to inject',
    ]);
    expect(mistakes[0]!.remedy).to.match(/@inject\(Token\)/);
  });

  it('that are a client of a worker and do not say so: the remedy is @InjectWorker, with metadata and without', () => {
    @Connection()
    class Asking {
      constructor(
        readonly store: Store,
        readonly search: WorkerClient<Search>,
      ) {}
    }
    for (const [cls, position] of [
      [Asking, 2],
      [NoMetadata, 1],
    ] as const) {
      const [mistake] = parameterMistakes(cls);
      expect(mistake).to.include({ where: cls.name, member: `constructor, parameter ${position}` });
      expect(mistake!.remedy)
        .to.match(/@InjectWorker\(X\) if it is a WorkerClient<X>/)
        .and.to.match(/@inject\(Token\)/);
    }
  });

  it('of which the compiler wrote nothing are a mistake that names both remedies', () => {
    const mistakes = parameterMistakes(NoMetadata);
    expect(told(mistakes)).to.deep.equal([
      'NoMetadata.constructor, parameter 1: its type is not known: the compiler wrote no metadata',
      'NoMetadata.constructor, parameter 2: its type is not known: the compiler wrote no metadata',
    ]);
    expect(mistakes[0]!.remedy).to.match(/@inject\(Token\).*tsx, esbuild.*emitDecoratorMetadata/);
  });

  it('that a subclass inherits without knowing them are told with the class that has them', () => {
    class Heir extends NoMetadata {}
    expect(told(parameterMistakes(Heir))[0]).to.equal(
      'Heir.constructor, parameter 1: its type, inherited from NoMetadata, is not known: the compiler wrote no metadata',
    );
  });

  it('may be given by plain functions', () => {
    class Plain {
      constructor(
        readonly store: Store,
        readonly search: WorkerClient<Search>,
      ) {}
    }
    inject(Store)(Plain, undefined, 0);
    InjectWorker('search')(Plain, undefined, 1);
    expect(readParameters(Plain)).to.deep.equal([
      { kind: 'token', token: Store, multiple: false, optional: false },
      { kind: 'worker', worker: 'search', key: undefined, owner: undefined },
    ]);
  });
});
