import { expect } from 'chai';
import { z } from 'zod';
import { OnClose, OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import { Every } from '../../src/decorators/lifecycle.js';
import { ownDeclarations } from '../../src/decorators/metadata.js';
import { Module } from '../../src/decorators/module.js';
import { Worker } from '../../src/decorators/worker/worker.js';
import { ConfigurationError } from '../../src/errors.js';

const schema = z.string();

@Connection({ idleTimeout: '5s' })
class Base {
  @OnConnect() first() {}
  @OnData(schema) second(_: string) {}
  @Every('1s') protected third() {}
}

class Derived extends Base {
  @OnClose() fourth() {}
}

/** What a decorator does when a compiler calls it in the standard way. */
type StandardClassDecorator = (target: unknown, context: { kind: string; name: string }) => void;
type StandardMethodDecorator = (method: unknown, context: { kind: string; name: string }) => void;

describe('the declarations of a class', () => {
  it('are what its decorators said, in the order in which they were written', () => {
    const { classes, members } = ownDeclarations(Base);
    expect(classes).to.deep.equal([{ kind: 'connection', options: { idleTimeout: '5s' } }]);
    expect(members.map(({ decorator, key }) => [decorator, key])).to.deep.equal([
      ['OnConnect', 'first'],
      ['OnData', 'second'],
      ['Every', 'third'],
    ]);
  });

  it('keep several decorators of one method in the order in which they were written', () => {
    class Twice {
      @OnConnect()
      @OnData(schema)
      @OnClose()
      all() {}
      @OnClose() other() {}
    }
    expect(ownDeclarations(Twice).members.map(member => member.decorator)).to.deep.equal(['OnConnect', 'OnData', 'OnClose', 'OnClose']);
  });

  it('are its own: a subclass neither shares nor changes those of its base', () => {
    expect(ownDeclarations(Derived).members.map(member => member.key)).to.deep.equal(['fourth']);
    expect(ownDeclarations(Base).members).to.have.lengthOf(3);
  });

  it('do not show when the class is listed or copied', () => {
    expect(Object.keys(Base)).to.deep.equal([]);
    expect(Object.getOwnPropertyDescriptor(Base, Symbol.for('packet-ts.declarations'))).to.include({ enumerable: false });
  });

  it('lie under a key that another copy of the package knows, too', () => {
    const there = (Base as unknown as Record<symbol, unknown>)[Symbol.for('packet-ts.declarations')];
    expect(there).to.equal(ownDeclarations(Base));
  });

  it('are empty for a class without decorators', () => {
    expect(ownDeclarations(class {})).to.deep.equal({ classes: [], members: [], parameters: [], arounds: [], uses: [] });
  });

  it('know a static method from one of the instances', () => {
    class Static {
      @OnConnect() static wrong() {}
      @OnConnect() right() {}
    }
    expect(ownDeclarations(Static).members.map(member => [member.key, member.isStatic])).to.deep.equal([
      ['right', false],
      ['wrong', true],
    ]);
  });
});

describe('a decorator called as a plain function', () => {
  it('says the same as when it is written with @', () => {
    class Plain {
      handle(_: string) {}
    }
    OnData(schema)(Plain.prototype, 'handle', Object.getOwnPropertyDescriptor(Plain.prototype, 'handle')!);
    Connection({ idleTimeout: '5s' })(Plain);
    Worker('plain function')(Plain);
    expect(ownDeclarations(Plain).members).to.deep.equal([{ decorator: 'OnData', schema, key: 'handle', isStatic: false }]);
    expect(ownDeclarations(Plain).classes.map(declaration => declaration.kind)).to.deep.equal(['worker', 'connection']);
  });
});

describe('a decorator compiled as a standard one', () => {
  it('says which compiler option is missing, instead of failing later', () => {
    const onClass = Module({}) as unknown as StandardClassDecorator;
    const onMethod = OnConnect() as unknown as StandardMethodDecorator;
    class Modern {}
    expect(() => onClass(Modern, { kind: 'class', name: 'Modern' })).to.throw(ConfigurationError, /Modern.*experimentalDecorators/);
    expect(() => onMethod(() => {}, { kind: 'method', name: 'hello' })).to.throw(ConfigurationError, /experimentalDecorators/);
  });
});
