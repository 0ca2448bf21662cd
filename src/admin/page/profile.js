/** The buttons that have a profile taken of one process. */
import { button } from './dom.js';

const KINDS = [
  {
    kind: 'cpu',
    label: 'CPU profile',
    text: 'Which functions the processor works for. It runs a few percent slower meanwhile. DevTools (Performance) and editors open the file.',
    fields: { seconds: { label: 'seconds', value: '10', min: '1', max: '60' } },
  },
  {
    kind: 'heap',
    label: 'Heap snapshot',
    text:
      'All objects, and what holds them: the file has what is in its memory, passwords too. It stands still meanwhile, about a second per 50 MB ' +
      'of its heap, and takes twice as much memory again. DevTools (Memory) opens the file.',
    fields: {},
  },
];

/** Two buttons. `of` names the process for the reader, `about` for the application. */
export function profileButtons(app, of, about) {
  return KINDS.map(({ kind, label, text, fields }) => {
    const take = async () => {
      const answer = await app.ask({ title: `${label} of ${of}?`, text, yes: 'Take it', fields });
      if (!answer) return;
      made.disabled = true;
      await app.profile({ ...about, kind, seconds: answer.seconds ?? 1 });
      made.disabled = false;
    };
    const made = button(label, take, `of ${of}`);
    return made;
  });
}
