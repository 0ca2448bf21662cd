import type { App } from 'packet-ts';
import { waitFor, webClient, type WebClient } from '../../kit/index.js';

interface Message {
  readonly hello?: { readonly role: string };
  readonly set?: Readonly<Record<string, unknown>>;
  readonly drop?: readonly string[];
  readonly id?: number;
  readonly error?: string;
  readonly profile?: string;
}

/** A row as it was told. */
export type Row = Readonly<Record<string, unknown>>;

/** A client of the websocket that the page uses, with what it knows. */
export class AdminClient {
  readonly facts = new Map<string, unknown>();
  /** Every change, as it came. */
  readonly changes: Message[] = [];
  /** Errors that are no answer. */
  readonly failures: string[] = [];
  readonly socket: WebClient;
  readonly #answers = new Map<number, Message>();
  role: string | undefined;
  #last = 0;
  #read = 0;

  private constructor(socket: WebClient) {
    this.socket = socket;
  }

  static async open(app: App, headers: Readonly<Record<string, string>> = {}): Promise<AdminClient> {
    const client = new AdminClient(await webClient(`${app.admin!.url.replace('http', 'ws').replace(/\/$/, '')}/feed`, [], { headers }));
    await client.until(() => client.role !== undefined && client.facts.size > 0, 'the first state');
    return client;
  }

  /** Reads what has come, until the condition holds. */
  until<T>(condition: () => T, what: string): Promise<unknown> {
    return waitFor(
      () => {
        this.#take();
        return condition();
      },
      { within: '20s', what },
    );
  }

  rows(list: string): readonly Row[] {
    const { rows } = (this.facts.get(list) ?? { rows: [] }) as { rows: readonly string[] };
    return rows.map(name => this.facts.get(name) as Row);
  }

  look(view: object): void {
    this.socket.send(JSON.stringify({ view }));
  }

  /** Resolves with the error, or undefined when it was done. */
  async act(action: object): Promise<string | undefined> {
    return (await this.ask(action)).error;
  }

  /** Resolves with the whole answer. */
  async ask(action: object): Promise<Message> {
    const id = ++this.#last;
    this.socket.send(JSON.stringify({ id, action }));
    await this.until(() => this.#answers.has(id), `the outcome of ${JSON.stringify(action)}`);
    return this.#answers.get(id)!;
  }

  #take(): void {
    const { messages } = this.socket;
    for (; this.#read < messages.length; this.#read++) {
      const message = JSON.parse(String(messages[this.#read])) as Message;
      if (message.hello) this.role = message.hello.role;
      if (message.id !== undefined) this.#answers.set(message.id, message);
      else if (message.error !== undefined) this.failures.push(message.error);
      if (!message.set) continue;
      this.changes.push(message);
      for (const [name, value] of Object.entries(message.set)) this.facts.set(name, value);
      for (const name of message.drop ?? []) this.facts.delete(name);
    }
  }
}
