/** The websocket to the application: what it tells, by name, and what is asked of it. It comes back by itself. */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;

/**
 * `changed(names)` is called with what is new, `moved(state)` with 'open' or 'lost', `greeted(hello)` once a connection, `failed(error)` with
 * what went wrong and is no answer.
 */
export function connect({ changed, moved, greeted, failed }) {
  const facts = new Map();
  const waiting = new Map();
  let view = {};
  let socket;
  let last = 0;
  let pause = FIRST_PAUSE;

  const send = message => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const hear = ({ data }) => {
    const { hello, set, drop, id, error, profile } = JSON.parse(data);
    if (hello) {
      greeted(hello);
      send({ view });
    } else if (set) {
      for (const [name, value] of Object.entries(set)) facts.set(name, value);
      for (const name of drop) facts.delete(name);
      changed([...Object.keys(set), ...drop]);
    } else if (waiting.has(id)) {
      const settle = waiting.get(id);
      waiting.delete(id);
      settle({ error, profile });
    } else if (error) failed(error);
  };
  const open = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/feed`);
    socket.addEventListener('open', () => {
      facts.clear();
      pause = FIRST_PAUSE;
      moved('open');
    });
    socket.addEventListener('message', hear);
    socket.addEventListener('close', () => {
      for (const settle of waiting.values()) settle({ error: 'the connection was lost' });
      waiting.clear();
      moved('lost');
      setTimeout(open, pause);
      pause = Math.min(LONGEST_PAUSE, pause * 2);
    });
  };
  open();

  return {
    /** What is known of a name. */
    get: name => facts.get(name),
    /** Looks at something else. */
    look(change) {
      view = { ...view, ...change };
      send({ view: change });
    },
    /** Resolves with { error } where it could not be done, and with { profile }, the path of one that was asked for. */
    act(action) {
      const id = ++last;
      return new Promise(resolve => {
        waiting.set(id, resolve);
        send({ id, action });
      });
    },
  };
}
