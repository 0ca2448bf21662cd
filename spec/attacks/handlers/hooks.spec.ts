import { expect } from 'chai';
import { Events } from '../../kit/events.js';
import { House } from '../support/house.js';
import { FAILURES, Helper, HOOKS, never, victim } from '../support/victim.js';

/** Every connection's own failure, whatever it is and wherever it happens. */
describe('a hook that fails', function () {
  this.slow(1000);

  for (const hook of HOOKS) {
    describe(hook.name, () => {
      for (const [how, fail] of Object.entries(FAILURES)) {
        it(`that ${how} is told to @OnError, and the connection lives; others are served`, async () => {
          const { cls, fate } = victim(hook, fail, { explains: true });
          const house = await House.open([cls], { workers: [Helper] });
          const client = await house.connect(cls);
          await hook.provoke?.(client, house);
          await fate.journal.has('explained');
          expect(fate.errors[0]!.error).to.include({ name: 'Boom', message: 'the handler failed' });
          expect(fate.errors[0]!.about).to.deep.include(hook.about);
          if (!hook.atEnd) {
            await client.send('here\n');
            await client.inbox.lineLike('the victim says here');
          }
          await house.servesOthers();
          expect(fate.reasons).to.deep.equal([]);
          // Of a peer that has finished nothing more is heard, not even that it is gone.
          if (!hook.atEnd) {
            client.reset();
            await fate.journal.has('closed');
          }
          expect(await house.close()).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
        });
      }

      for (const [how, fail] of Object.entries(FAILURES)) {
        const end = hook.onlyLogged ? 'is logged' : 'closes its connection by error';
        it(`that ${how} without @OnError ${end}; others are served`, async () => {
          using logged = new Events(hook.onlyLogged ? 'timer.error' : 'connection.error');
          const { cls, fate } = victim(hook, fail);
          const house = await House.open([cls], { workers: [Helper] });
          const client = await house.connect(cls);
          await hook.provoke?.(client, house);
          if (hook.onlyLogged) {
            await logged.next();
            await client.send('here\n');
            await client.inbox.lineLike('the victim says here');
            expect(logged.seen[0]).to.include({ handler: 'Victim' });
            await client.destroy();
          } else {
            await client.all();
            client.end();
            await fate.journal.has('closed');
            expect(fate.reasons[0]).to.include({ by: 'error', code: 'Boom' });
            expect(logged.seen).to.have.length(1);
            expect(logged.seen[0]).to.include({ handler: 'Victim', ...hook.about });
          }
          expect(logged.seen[0]!['error']).to.include({ name: 'Boom' });
          await house.servesOthers();
          expect(await house.close()).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
          expect(fate.reasons).to.have.length(1);
        });
      }

      it('that never settles keeps nobody else waiting; at the deadline it is cut off, counted, and told that it is over', async () => {
        const { cls, fate } = victim(hook, never);
        const house = await House.open([cls], { workers: [Helper] });
        const client = await house.connect(cls);
        await hook.provoke?.(client, house);
        await fate.journal.has('called');
        if (!hook.holdsLine && !hook.atEnd) {
          await client.send('here\n');
          await client.inbox.lineLike('the victim says here');
        }
        await house.servesOthers();
        expect(await house.close(100)).to.include({ graceful: false, connections: 1, calls: 0 });
        expect(fate.reasons.map(({ by }) => by)).to.deep.equal(['shutdown']);
        await client.all();
      });
    });
  }
});
