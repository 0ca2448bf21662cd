import { z } from 'zod';
import { channel, inject, InjectWorker, Module, OnChannel, Task, Worker, type Channel, type WorkerClient } from '../../../src/index.js';

export interface Line {
  readonly from: string;
  readonly n: number;
  readonly weight?: Uint8Array;
}

export const Room = channel<Line>('mesh-spec-room', { scope: 'application' });
export const World = channel<Line>('mesh-spec-world', { scope: 'mesh' });
export const Here = channel<Line>('mesh-spec-here');

/** Hears and says in its own process. */
@Worker('mesh_chat', { minWorkers: 2, maxWorkers: 2, timeout: '5s', waitForHost: '5s' })
export class ChatWorker {
  protected readonly heard: string[] = [];

  constructor(
    @inject(Room) protected readonly room: Channel<Line>,
    @inject(World) protected readonly world: Channel<Line>,
    @inject(Here) protected readonly here: Channel<Line>,
  ) {
    room.subscribe(line => void this.heard.push(`room ${line.from} ${line.n}`));
    world.subscribe(line => void this.heard.push(`world ${line.from} ${line.n}`));
    here.subscribe(line => void this.heard.push(`here ${line.from} ${line.n}`));
  }

  @Task({ input: z.object({ where: z.enum(['room', 'world', 'here']), from: z.string(), times: z.number() }), output: z.number() })
  say({ where, from, times }: { where: 'room' | 'world' | 'here'; from: string; times: number }): number {
    for (let n = 0; n < times; n++) this[where].publish({ from, n });
    return process.pid;
  }

  /** Says so many characters. Answers with the error that this is. */
  @Task({ input: z.object({ where: z.enum(['room', 'world']), length: z.number() }), output: z.string() })
  shout({ where, length }: { where: 'room' | 'world'; length: number }): string {
    try {
      this[where].publish({ from: 'x'.repeat(length), n: 0 });
      return '';
    } catch (error) {
      return String(error);
    }
  }

  /** Reads nothing for so many milliseconds. */
  @Task({ input: z.number() })
  spin(milliseconds: number): void {
    for (const until = Date.now() + milliseconds; Date.now() < until;);
  }

  @Task({ output: z.object({ pid: z.number(), heard: z.array(z.string()) }) })
  listing(): { pid: number; heard: string[] } {
    return { pid: process.pid, heard: this.heard };
  }
}

export class Chat {
  readonly heard: string[] = [];
  constructor(
    @InjectWorker(ChatWorker) readonly workers: WorkerClient<ChatWorker>,
    @inject(Room) readonly room: Channel<Line>,
    @inject(World) readonly world: Channel<Line>,
  ) {}

  @OnChannel(Room) protected inRoom(line: Line): void {
    this.heard.push(`room ${line.from} ${line.n}`);
  }

  @OnChannel(World) protected inWorld(line: Line): void {
    this.heard.push(`world ${line.from} ${line.n}`);
  }
}

@Module({ workers: [ChatWorker], providers: [Chat] })
export class ChatModule {}
