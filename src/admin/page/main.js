import { connect } from './connect.js';
import { element, setText } from './dom.js';
import { sections } from './sections.js';

const NOTICE_FOR = 6000;

const byId = id => document.getElementById(id);
const { body } = document;
let noticeTimer;

function tell(text, isBad) {
  const notice = byId('notice');
  notice.hidden = false;
  notice.className = isBad ? 'bad' : '';
  setText(notice, text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.hidden = true), NOTICE_FOR);
}

/**
 * Asks before something is done. `fields`: { name: { label, value, min, max } }. Resolves with the numbers of the fields (an empty object
 * without fields), or undefined for no.
 */
function ask({ title, text, yes, fields = {} }) {
  const dialog = byId('ask');
  setText(byId('ask-title'), title);
  setText(byId('ask-text'), text);
  setText(byId('ask-yes'), yes);
  const inputs = Object.entries(fields).map(([name, { label, value, min, max }]) => {
    const input = element('input', { type: 'number', min, max, step: '1', name, value, required: true });
    return [name, input, element('label', {}, label, input)];
  });
  byId('ask-fields').replaceChildren(...inputs.map(([, , label]) => label));
  return new Promise(resolve => {
    const done = new AbortController();
    const answer = value => {
      done.abort();
      dialog.close();
      resolve(value);
    };
    const accept = () => {
      if (inputs.some(([, input]) => !input.reportValidity())) return;
      answer(Object.fromEntries(inputs.map(([name, input]) => [name, Number(input.value)])));
    };
    const { signal } = done;
    byId('ask-yes').addEventListener('click', accept, { signal });
    byId('ask-no').addEventListener('click', () => answer(undefined), { signal });
    // Escape
    dialog.addEventListener('cancel', () => answer(undefined), { signal });
    dialog.addEventListener('keydown', ({ key, target }) => key === 'Enter' && target instanceof HTMLInputElement && accept(), { signal });
    dialog.showModal();
    (inputs[0]?.[1] ?? byId('ask-no')).focus();
  });
}

let role = 'read';
let scheduled = false;

const link = connect({
  greeted(hello) {
    ({ role } = hello);
    body.dataset.role = role;
    setText(byId('state'), role === 'read' ? 'live, read-only' : 'live');
    body.dataset.host = hello.host;
  },
  moved(state) {
    body.dataset.state = state;
    if (state === 'lost') setText(byId('state'), 'connection lost, trying again …');
  },
  failed: error => tell(error, true),
  changed() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(update);
  },
});

const app = {
  get: link.get,
  look: link.look,
  ask,
  async act(action) {
    const { error } = await link.act(action);
    tell(error ?? `${action.do}: done`, error !== undefined);
  },
  /** Has a profile taken, and saved as a file. */
  async profile(action) {
    const { error, profile } = await link.act({ do: 'profile', ...action });
    if (error) tell(error, true);
    else element('a', { href: profile, download: '' }).click();
  },
};

const all = sections(app);
document.querySelector('main').append(...all.map(({ node }) => node));

function update() {
  scheduled = false;
  const facts = link.get('app');
  if (facts) {
    const who = `pid ${facts.pid} on ${body.dataset.host ?? ''}`;
    setText(byId('who'), who);
    document.title = `packet-ts ${who}`;
  }
  for (const section of all) section.update();
}

// Ages grow also where nothing else changes.
setInterval(update, 1000);
