import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../scripts/structure/read-sources.js';

/** Where a test stands, and words of its name. */
type Proof = readonly [file: string, words: string];

/** Every class of failure that socket servers have been brought down by, and what shows that this one is not. */
const CLASSES: Readonly<Record<string, readonly Proof[]>> = {
  slowloris: [
    ['long/attacks/connections/slowloris', 'byte by byte and never finished, is closed in time'],
    ['long/attacks/connections/slowloris', 'connections at once, as many as'],
    ['attacks/connections/tls', 'handshakes that stop half-way hold their places until handshakeTimeout'],
    ['attacks/web/web', 'are closed in time, and others are served meanwhile'],
    ['reactor/proxy-protocol', 'silence is over after handshakeTimeout'],
  ],
  'slow reader': [
    ['attacks/connections/neighbours', 'frozen among 100 members of the chat'],
    ['websocket/websocket', 'drops a peer that does not read'],
    ['http/requests', 'drops a client that does not read its answer'],
  ],
  'unframed buffer growth': [['attacks/connections/messages', 'without end is refused before twice the limit is held']],
  'tiny-fragment overhead': [
    ['attacks/connections/messages', 'dribbles in byte by byte costs less than four times its limit'],
    ['attacks/web/web', 'a message in fragments without end is refused'],
  ],
  'quadratic reassembly': [['framing/every', 'takes a message of 16 MB in pieces of 1448 bytes for the price of some copies of it']],
  'allocation from a declared length': [['attacks/connections/messages', 'without end is refused before twice the limit is held']],
  'unbounded nesting': [['attacks/connections/messages', 'nested arrays of JSON are refused']],
  'decompression bomb': [['attacks/web/web', 'a frame that announces more than may come is refused before it comes']],
  'exception from a callback': [
    ['attacks/handlers/hooks', 'is told to @OnError, and the connection lives; others are served'],
    ['attacks/handlers/hooks', 'that never settles keeps nobody else waiting'],
    ['attacks/handlers/last-hooks', 'takes nobody else’s farewell away'],
    ['attacks/handlers/construction', 'closes that connection alone, is logged, and takes nobody’s place'],
    ['endpoints/tls-trust', 'that throws, rejects, or gives what is no certificate ends that handshake alone'],
  ],
  'unhandled error event': [['long/attacks/connections/resets', '10 000 times: nothing crashes']],
  'STARTTLS injection': [['attacks/connections/tls', 'words behind STARTTLS are never taken for words inside of TLS']],
  'parser differentials': [
    ['attacks/connections/messages', 'lines that end in CRLF end in nothing else'],
    ['attacks/connections/messages', 'a message whose length two readers could take for different ones is refused'],
    ['http/requests', 'refuses what Node does not let through'],
  ],
  'command injection on output': [['attacks/connections/messages', 'never becomes a line of its own']],
  'prototype poisoning': [['attacks/connections/messages', 'whatever they are called; __proto__ is refused']],
  'cross-site websocket hijack, DNS rebinding': [
    ['websocket/doors', 'a page of the same host, and none of another'],
    ['websocket/doors', 'on the loopback nobody by a name that is not the loopback’s own'],
  ],
  'PROXY spoofing': [['reactor/proxy-protocol', 'whoever is no proxy is refused before a byte is read']],
  'unix socket exposure': [['endpoints/net/unix', 'has that mode from its first moment']],
  'descriptors of failed handshakes': [['long/attacks/connections/resets', 'leave no descriptor and no place taken']],
  'event-loop starvation': [['attacks/connections/neighbours', '100 000 requests pipelined on one connection keep no other one waiting']],
  'restart storms': [['workers/pool/supervisor', 'doubles the delay, gives up at the fifth failure']],
  'reflection of datagrams': [['attacks/connections/neighbours', 'answered with no more than was asked']],
  'messages of a worker': [
    ['long/attacks/workers/hostile-worker', 'neither stops the master nor hinders the others'],
    ['long/attacks/workers/flooding-worker', 'is ended for it; meanwhile others are answered'],
  ],
  'peer data in logs': [['attacks/connections/neighbours', 'no message is logged']],
};

/** What a server promises, and what shows that it keeps it. */
const PROMISES: Readonly<Record<string, readonly Proof[]>> = {
  'accepting survives': [
    ['attacks/handlers/construction', 'closes that connection alone'],
    ['long/endpoints/descriptors', 'tells of every connection that it has no descriptor for'],
  ],
  'overflow policies': [
    ['channels/channel', 'beyond its buffer the oldest are dropped'],
    ['reactor/listen/listener', 'pause'],
  ],
  'limits of every codec': [['attacks/connections/messages', 'without end is refused before twice the limit is held']],
  'byte by byte': [['framing/every', 'comes to the same verdict however they are cut']],
  'slow peer': [['attacks/connections/neighbours', 'the frozen one is dropped by limit']],
  'phases of slowloris': [['long/attacks/connections/slowloris', 'is closed in time and told by name']],
  'half-open': [['promises/connections', 'is half-open as long as the peer that has finished is still answered']],
  'reset at every phase': [['long/attacks/connections/resets', 'each connection closes once']],
  STARTTLS: [['session/takeover/start-tls', 'takes the connection over in place']],
  'TLS reload': [['endpoints/tls/tls', 'are read again when they change, for new handshakes; open connections live on']],
  'PROXY protocol': [['reactor/proxy-protocol', 'the peer is whom the header names']],
  'socket activation': [['long/endpoints/process/inherited', 'systemd']],
  'unix permissions': [['endpoints/net/unix', 'is made with mode 0600']],
  'deadlines of draining': [['promises/connections', 'goes by its deadlines']],
  'escalation of signals': [['long/promises/bootstrap', 'closes at once at a second signal, with exit code 1']],
  'intensity of restarts': [['workers/pool/supervisor', 'counts failures within the time alone']],
  'killed workers': [
    ['long/promises/workers', 'when all are killed at once'],
    ['long/promises/workers', 'one that is stopped is found even when it is busy'],
  ],
  'backoff of reconnecting': [['reactor/dial/dialer', 'waits longer']],
  'opens and closes exactly once': [['promises/connections', 'opens exactly once and closes exactly once']],
  'order of callbacks': [['promises/callback-order', 'also on accept']],
  'no leaks': [['promises/connections', 'leaves nothing behind']],
  'fairness of the loop': [['reactor/back-pressure', 'a flood on one connection lets others through']],
};

function texts(file: string): string {
  return readFileSync(join(ROOT, `spec/${file}.spec.ts`), 'utf8');
}

for (const [title, list] of [
  ['every class of failure', CLASSES],
  ['every promise of a socket server', PROMISES],
] as const) {
  describe(title, () => {
    for (const [name, proofs] of Object.entries(list)) {
      it(`has its test: ${name}`, () => {
        expect(proofs).to.not.have.length(0);
        for (const [file, words] of proofs) expect(texts(file), `${file}.spec.ts`).to.include(words);
      });
    }
  });
}
