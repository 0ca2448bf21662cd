/** Elements, and tables whose rows are kept: what has the focus keeps it while the numbers around it change. */

const SVG = 'http://www.w3.org/2000/svg';

/** element('button', { class: 'act', onclick: … }, 'Kill') */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A button that acts: hidden from visitors who may only look. */
export function button(label, run, name) {
  return element('button', { type: 'button', class: 'act', onclick: run, 'aria-label': name && `${label} ${name}` }, label);
}

function classOf({ label, number, long }) {
  return [number && 'number', long && 'long', label === 'actions' && 'act'].filter(Boolean).join(' ');
}

export function setText(node, text) {
  const next = String(text);
  if (node.textContent !== next) node.textContent = next;
}

/** A small line of the last minutes. */
export function spark(label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', '0 0 120 24');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const line = document.createElementNS(SVG, 'polyline');
  svg.append(line);
  const show = values => {
    const most = Math.max(...values, 0);
    const step = values.length > 1 ? 120 / (values.length - 1) : 0;
    const points = values.map((value, at) => `${(at * step).toFixed(1)},${(23 - (most > 0 ? (value / most) * 22 : 0)).toFixed(1)}`);
    line.setAttribute('points', points.join(' '));
    svg.setAttribute('aria-label', `${label}, at most ${Math.round(most * 10) / 10}`);
  };
  return { svg, show };
}

/** A small histogram: bars of counts, each named by its upper bound. */
export function bars(label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'bars');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const show = (counts, names, text) => {
    const most = Math.max(...counts, 1);
    svg.setAttribute('viewBox', `0 0 ${counts.length * 6} 24`);
    while (svg.children.length < counts.length) {
      const bar = document.createElementNS(SVG, 'rect');
      bar.append(document.createElementNS(SVG, 'title'));
      svg.append(bar);
    }
    counts.forEach((count, at) => {
      const bar = svg.children[at];
      // A bucket that has something is seen beside one that has a thousand times as much.
      const height = count === 0 ? 0 : Math.max(2, (count / most) * 24);
      for (const [name, value] of Object.entries({ x: at * 6, y: 24 - height, width: 5, height })) bar.setAttribute(name, value);
      setText(bar.firstChild, `${names[at]}: ${count}`);
    });
    svg.setAttribute('aria-label', `${label}: ${text}`);
  };
  return { svg, show };
}

/**
 * A table. A column: { label, number?, long?, text(row), tone?(row), make?(name) }; `make` gives a cell of its own: { node, update(row) }.
 */
export function table(caption, columns) {
  const head = element(
    'tr',
    {},
    ...columns.map(({ label, number }) => element('th', { scope: 'col', class: classOf({ label, number }) }, label)),
  );
  const body = element('tbody');
  const empty = element('tr', {}, element('td', { class: 'none', colspan: String(columns.length) }, 'none'));
  const node = element('div', { class: 'scroll' }, element('table', { 'aria-label': caption }, element('thead', {}, head), body));
  const rows = new Map();

  const makeRow = name => {
    const cells = columns.map(column => {
      const cell = element('td', {
        'data-label': column.label,
        class: classOf(column),
      });
      const own = column.make?.(name);
      if (own) cell.append(own.node);
      return { cell, own, column };
    });
    const tr = element('tr', { 'data-name': name }, ...cells.map(({ cell }) => cell));
    const update = row => {
      for (const { cell, own, column } of cells) {
        if (own) own.update(row);
        else setText(cell, column.text(row));
        const tone = column.tone?.(row);
        for (const each of ['good', 'warn', 'bad']) cell.classList.toggle(each, tone === each);
      }
    };
    return { tr, update };
  };

  /** Shows these rows in this order. */
  const show = (names, rowOf, isChosen = () => false) => {
    const wanted = new Set(names);
    for (const [name, { tr }] of rows) {
      if (wanted.has(name)) continue;
      tr.remove();
      rows.delete(name);
    }
    names.forEach((name, at) => {
      const row = rowOf(name);
      if (!row) return;
      let known = rows.get(name);
      if (!known) rows.set(name, (known = makeRow(name)));
      known.update(row);
      known.tr.classList.toggle('chosen', isChosen(name));
      if (body.children[at] !== known.tr) body.insertBefore(known.tr, body.children[at] ?? null);
    });
    if (names.length === 0) body.append(empty);
    else empty.remove();
  };
  return { node, show };
}

/** Buttons that turn the pages of a list. */
export function pager(label, turn) {
  let page = 0;
  let pages = 1;
  const back = element('button', { type: 'button', 'aria-label': `${label}: previous page`, onclick: () => turn(page - 1) }, '‹');
  const next = element('button', { type: 'button', 'aria-label': `${label}: next page`, onclick: () => turn(page + 1) }, '›');
  const at = element('span', { class: 'count' });
  const node = element('span', { class: 'actions' }, back, at, next);
  const show = list => {
    ({ page, pages } = list);
    setText(at, `${page + 1} of ${pages}`);
    back.disabled = page === 0;
    next.disabled = page >= pages - 1;
    node.hidden = pages <= 1 && page === 0;
  };
  show({ page: 0, pages: 1 });
  return { node, show };
}
