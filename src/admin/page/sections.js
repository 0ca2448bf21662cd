/** The sections of the page: what each shows, and the buttons in it. `app` has get, look, act, ask, tell. */
import { bars, button, element, pager, setText, spark, table } from './dom.js';
import { bound, bytes, duration, milliseconds, number, since, time } from './format.js';
import { profileButtons } from './profile.js';

function section(id, title, ...bar) {
  const count = element('span', { class: 'count' });
  const node = element('section', { id, 'aria-labelledby': `${id}-title` });
  node.append(element('div', { class: 'bar' }, element('h2', { id: `${id}-title` }, title), count, ...bar));
  return { node, count };
}

/** What a pool may be scaled to. */
const SIZES = { min: '0', max: '10000' };

/** The processes of a pool: here, and on other machines. */
function sizeOf({ processes, min, max, remote, isRemote }) {
  const here = isRemote ? [] : [`${processes} (${min}–${max})`];
  return [...here, ...(remote > 0 || isRemote ? [`${remote} remote`] : [])].join(' + ');
}

/** A column of a pool's times: a histogram, and its quantiles. */
function latency(app, label, part) {
  return {
    label,
    make: name => {
      const id = name.slice('pool/'.length);
      const { svg, show } = bars(`calls of ${id} that ${part === 'run' ? 'ran' : 'waited'}`);
      const words = element('span', { class: 'faint' });
      const update = () => {
        const told = app.get(`latency/${id}`)?.[part];
        const text = told?.count > 0 ? `p50 ${bound(told.p50)}, p99 ${bound(told.p99)}` : 'no calls';
        const bounds = app.get('app')?.bounds ?? [];
        show(told?.buckets ?? [], [...bounds, null].map(bound), text);
        setText(words, text);
      };
      return { node: element('span', { class: 'latency' }, svg, words), update };
    },
  };
}

/** A section with a list: a table of one page. */
function listSection(app, { id, title, list = id, columns, turn, bar = [], isChosen, counts }) {
  const pages = turn && pager(title, turn);
  const { node, count } = section(id, title, ...bar, ...(pages ? [pages.node] : []));
  const shown = table(title, columns);
  node.append(shown.node);
  if (!turn) {
    // The latest things scroll in a frame of their own, also by the keyboard.
    shown.node.classList.add('latest');
    for (const [name, value] of Object.entries({ tabindex: '0', role: 'region', 'aria-label': `${title}, the latest` }))
      shown.node.setAttribute(name, value);
  }
  return {
    node,
    update() {
      const told = app.get(list);
      if (!told) return;
      setText(count, counts ? counts(told) : number(told.total));
      pages?.show(told);
      shown.show(told.rows, app.get, isChosen);
    },
  };
}

function overview(app) {
  const { node, count } = section('overview', 'Overview', element('span', { class: 'actions' }, ...profileButtons(app, 'the master', {})));
  const list = element('dl', { class: 'facts' });
  const facts = new Map();
  const fact = (label, extra) => {
    const value = element('dd');
    list.append(element('div', {}, element('dt', {}, label), value, ...(extra ? [extra] : [])));
    facts.set(label, value);
  };
  const connections = spark('connections');
  const delays = spark('event-loop delay in ms');
  fact('up for');
  fact('connections', connections.svg);
  fact('event-loop delay', delays.svg);
  fact('memory (RSS)');
  fact('heap');
  fact('calls running');
  fact('calls waiting');
  node.append(list);
  const listeners = table('Listeners', [
    { label: 'class', text: row => row.handler },
    { label: 'listens on', text: row => row.url },
    { label: 'connections', number: true, text: row => number(row.connections) },
  ]);
  const dialers = table('Dialers', [
    { label: 'class', text: row => row.handler },
    { label: 'dials', text: row => row.url },
    { label: 'state', text: row => row.state, tone: row => (row.state === 'up' ? 'good' : 'warn') },
    { label: 'attempts', number: true, text: row => number(row.attempts) },
  ]);
  node.append(element('p', { class: 'faint' }, 'Listeners'), listeners.node);
  const dialled = element('div', {}, element('p', { class: 'faint' }, 'Dialers'), dialers.node);
  node.append(dialled);
  const rows = (shown, all) =>
    shown.show(
      all.map((_, at) => String(at)),
      at => all[Number(at)],
    );
  return {
    node,
    update() {
      const facts_ = app.get('app');
      if (!facts_) return;
      setText(count, `node ${facts_.node}`);
      setText(facts.get('up for'), since(facts_.startedAt));
      setText(facts.get('connections'), number(facts_.connections));
      setText(facts.get('event-loop delay'), `${milliseconds(facts_.loop.p99)} p99, ${milliseconds(facts_.loop.max)} max`);
      setText(facts.get('memory (RSS)'), bytes(facts_.rss));
      setText(facts.get('heap'), `${bytes(facts_.heapUsed)} of ${bytes(facts_.heapTotal)}`);
      setText(facts.get('calls running'), number(facts_.calls.running));
      setText(facts.get('calls waiting'), number(facts_.calls.queued));
      connections.show(facts_.history.connections);
      delays.show(facts_.history.delays);
      rows(listeners, app.get('listeners') ?? []);
      const all = app.get('dialers') ?? [];
      dialled.hidden = all.length === 0;
      rows(dialers, all);
    },
  };
}

function pools(app) {
  const idOf = name => name.slice('pool/'.length);
  const columns = [
    {
      label: 'pool',
      make: name => ({
        node: element(
          'button',
          { type: 'button', class: 'link', onclick: () => app.look({ pool: idOf(name), processPage: 0 }) },
          idOf(name),
        ),
        update() {},
      }),
    },
    {
      label: 'state',
      text: row => (row.paused ? 'paused' : row.state),
      tone: row => (row.paused ? 'warn' : row.state === 'ready' ? 'good' : row.state === 'failed' ? 'bad' : 'warn'),
    },
    { label: 'processes', number: true, text: sizeOf },
    { label: 'running', number: true, text: row => number(row.running) },
    { label: 'waiting', number: true, text: row => number(row.queued), tone: row => row.queued > 0 && 'warn' },
    { label: 'done', number: true, text: row => number(row.done) },
    { label: 'failed', number: true, text: row => number(row.failed), tone: row => row.failed > 0 && 'bad' },
    { label: 'restarts', number: true, text: row => number(row.restarts) },
    { label: 'memory', number: true, text: row => (row.rss > 0 ? bytes(row.rss) : '–') },
    latency(app, 'waited, 5 min', 'wait'),
    latency(app, 'ran, 5 min', 'run'),
    {
      label: 'calls/s, 5 min',
      make: name => {
        const { svg, show } = spark(`calls a second of ${idOf(name)}`);
        return { node: svg, update: () => show(app.get(`history/${idOf(name)}`)?.rate ?? []) };
      },
    },
    {
      label: 'actions',
      make: name => {
        const pool = idOf(name);
        let row;
        const pause = button('Pause', () => app.act({ do: row.paused ? 'resume' : 'pause', pool }), pool);
        const scale = async () => {
          const sizes = await app.ask({
            title: `Scale ${pool}`,
            text: 'Processes at least and at most, until the application restarts.',
            yes: 'Scale',
            fields: { min: { label: 'at least', value: row.min, ...SIZES }, max: { label: 'at most', value: row.max, ...SIZES } },
          });
          if (sizes) app.act({ do: 'scale', pool, ...sizes });
        };
        const node = element(
          'span',
          { class: 'actions' },
          button('Restart', () => app.act({ do: 'restartPool', pool }), pool),
          pause,
          button('Scale', scale, pool),
        );
        return {
          node,
          update(next) {
            row = next;
            setText(pause, row.paused ? 'Resume' : 'Pause');
            pause.setAttribute('aria-label', `${row.paused ? 'Resume' : 'Pause'} ${pool}`);
          },
        };
      },
    },
  ];
  return listSection(app, {
    id: 'pools',
    title: 'Pools',
    columns,
    turn: poolPage => app.look({ poolPage }),
    isChosen: name => app.get('pool') === idOf(name),
  });
}

function processes(app) {
  const columns = [
    { label: 'pid', text: row => row.pid ?? '–' },
    { label: 'machine', text: row => row.host },
    { label: 'state', text: row => row.state, tone: row => (row.state === 'ready' ? 'good' : 'warn') },
    { label: 'running', number: true, text: row => number(row.running) },
    { label: 'waiting', number: true, text: row => number(row.queued) },
    { label: 'done', number: true, text: row => number(row.done) },
    { label: 'failed', number: true, text: row => number(row.failed), tone: row => row.failed > 0 && 'bad' },
    { label: 'connections', number: true, text: row => number(row.connections) },
    { label: 'memory', number: true, text: row => bytes(row.rss) },
    { label: 'up for', number: true, text: row => since(row.startedAt) },
    { label: 'says', long: true, text: row => row.status ?? '' },
    {
      label: 'actions',
      make: name => {
        const process = name.slice('process/'.length);
        let row;
        const kill = async () => {
          const sure = await app.ask({
            title: `Kill process ${row.pid}?`,
            text: 'Calls that it has begun fail, or are tried again where that is declared; another process takes its place.',
            yes: 'Kill',
          });
          if (sure) app.act({ do: 'kill', process });
        };
        const node = element(
          'span',
          { class: 'actions' },
          button('Restart', () => app.act({ do: 'restart', process }), `process ${process}`),
          button('Kill', kill, `process ${process}`),
          ...profileButtons(app, `process ${process}`, { process }),
        );
        const update = next => {
          row = next;
          // A process of another machine is acted upon there.
          node.hidden = row.host !== 'local';
        };
        return { node, update };
      },
    },
  ];
  return listSection(app, {
    id: 'processes',
    title: 'Processes',
    columns,
    turn: processPage => app.look({ processPage }),
    counts: told => `${number(told.total)} of ${app.get('pool') ?? 'no pool'}`,
  });
}

function calls(app) {
  const columns = [
    { label: 'pool', text: row => row.pool },
    { label: 'task', text: row => row.task },
    { label: 'state', text: row => row.state, tone: row => row.state === 'given up' && 'bad' },
    {
      label: 'age',
      number: true,
      text: row => (row.state === 'waiting' ? '–' : duration(row.age)),
      tone: row => row.age > 10_000 && 'warn',
    },
    { label: 'process', text: row => (row.host === 'local' ? row.pid : row.host) },
    { label: 'attempt', number: true, text: row => row.attempt },
    { label: 'caller', long: true, text: row => row.caller },
  ];
  return listSection(app, { id: 'calls', title: 'Calls in flight', columns, turn: callPage => app.look({ callPage }) });
}

function connections(app) {
  const filter = element('input', {
    type: 'search',
    placeholder: 'class, id or address',
    'aria-label': 'Filter connections',
    oninput: ({ target }) => app.look({ connectionFilter: target.value.slice(0, 200), connectionPage: 0 }),
  });
  const columns = [
    { label: 'id', text: row => row.id },
    { label: 'class', text: row => row.handler },
    { label: 'remote', text: row => (row.dialled ? `→ ${row.remote}` : row.remote) },
    { label: 'open for', number: true, text: row => since(row.openedAt) },
    { label: 'read', number: true, text: row => bytes(row.bytesRead) },
    { label: 'written', number: true, text: row => bytes(row.bytesWritten) },
    { label: 'to be sent', number: true, text: row => bytes(row.buffered), tone: row => row.buffered > 65_536 && 'warn' },
    {
      label: 'actions',
      make: name => {
        const connection = name.slice('connection/'.length);
        let row;
        const disconnect = async () => {
          const sure = await app.ask({
            title: `Disconnect ${connection}?`,
            text: `${row.handler}, ${row.remote}. What is not sent yet is lost.`,
            yes: 'Disconnect',
          });
          if (sure) app.act({ do: 'disconnect', connection });
        };
        return { node: button('Disconnect', disconnect, connection), update: next => void (row = next) };
      },
    },
  ];
  return listSection(app, {
    id: 'connections',
    title: 'Connections',
    columns,
    bar: [filter],
    turn: connectionPage => app.look({ connectionPage }),
    counts: told => (filter.value === '' ? number(told.total) : `${number(told.total)} match`),
  });
}

function ends(app) {
  const closed = listSection(app, {
    id: 'closed',
    title: 'Closed connections',
    columns: [
      { label: 'at', text: row => time(row.at) },
      { label: 'id', text: row => row.id },
      { label: 'class', text: row => row.handler },
      { label: 'by', text: row => row.by, tone: row => ['error', 'limit', 'timeout'].includes(row.by) && 'warn' },
      { label: 'code', text: row => row.code },
      { label: 'error', long: true, text: row => row.error },
    ],
  });
  const exits = listSection(app, {
    id: 'exits',
    title: 'Ended processes',
    columns: [
      { label: 'at', text: row => time(row.at) },
      { label: 'pool', text: row => row.pool },
      { label: 'pid', text: row => row.pid },
      { label: 'reason', text: row => row.reason, tone: row => !row.expected && 'bad' },
      { label: 'exit', text: row => row.signal ?? row.exitCode ?? '' },
      { label: 'error and last lines of stderr', long: true, text: row => [row.error, ...row.stderr].filter(Boolean).join('\n') },
    ],
  });
  return [exits, closed];
}

function errors(app) {
  return listSection(app, {
    id: 'errors',
    title: 'Errors',
    columns: [
      { label: 'at', text: row => time(row.at) },
      { label: 'event', text: row => row.event },
      { label: 'where', text: row => row.where },
      { label: 'error', long: true, text: row => row.error },
    ],
  });
}

function log(app) {
  const level = element(
    'select',
    { 'aria-label': 'Least level', onchange: ({ target }) => app.look({ logLevel: target.value }) },
    ...['info', 'warn', 'error', 'fatal'].map(name => element('option', { value: name }, name)),
  );
  return listSection(app, {
    id: 'log',
    title: 'Log',
    bar: [level],
    counts: told => `${number(told.rows.length)} lines`,
    columns: [
      { label: 'at', text: row => time(row.at) },
      { label: 'level', text: row => row.level, tone: row => ({ warn: 'warn', error: 'bad', fatal: 'bad' })[row.level] },
      { label: 'text', long: true, text: row => row.text },
    ],
  });
}

/** All sections, in the order of the page: { node, update() }. */
export function sections(app) {
  return [overview(app), pools(app), processes(app), calls(app), connections(app), ...ends(app), errors(app), log(app)];
}
