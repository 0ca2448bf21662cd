/** A template, with its part of the README. */
export interface Template {
  readonly summary: string;
  readonly port: number;
  readonly url: string;
  /** Commands to try once it runs, in Markdown. */
  readonly try: string;
  /** Packages besides packet-ts and zod that it needs: peers of packet-ts, whose ranges are taken from there. */
  readonly peers: readonly string[];
}

function shell(...lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}

/** The templates by name; their files are in `templates/` of the package. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  eval: {
    summary: 'a line protocol whose messages are evaluated in worker processes that may crash or hang',
    port: 11006,
    url: 'tcp://127.0.0.1:11006',
    try: shell(
      `printf '1+1\\n' | nc -N 127.0.0.1 11006             # 2`,
      `printf 'while(true){}\\n' | nc -N 127.0.0.1 11006   # WorkerTimeoutError: …`,
    ),
    peers: [],
  },
  http: {
    summary: 'an HTTP API whose heavy work runs in worker processes',
    port: 11080,
    url: 'http://127.0.0.1:11080',
    try: shell(`curl 'http://127.0.0.1:11080/primes?below=100'   # {"below":100,"primes":25}`),
    peers: [],
  },
  chat: {
    summary: 'a page and its websocket on one port: what one browser says, all hear',
    port: 11081,
    url: 'http://127.0.0.1:11081',
    try: 'Open http://127.0.0.1:11081 in two browser windows.',
    peers: ['ws'],
  },
  jobs: {
    summary: 'an HTTP API that takes jobs, runs them in worker processes and tells how far they are (in memory: they end with the process)',
    port: 11082,
    url: 'http://127.0.0.1:11082',
    try: shell(
      `curl -d '{"text":"hello","rounds":3000000}' http://127.0.0.1:11082/jobs   # {"id":"…","state":"waiting",…}`,
      'curl http://127.0.0.1:11082/jobs/ID                                        # {"state":"running","progress":40,…}',
    ),
    peers: [],
  },
};
