import type { Clock } from '../../clock.js';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import { publish } from '../../diagnostics.js';
import { HostList } from '../../mesh/caller/host-list.js';
import { MeshCrew } from '../../mesh/caller/mesh-crew.js';
import { MeshNode } from '../../mesh/link/mesh-node.js';
import type { ChannelRouter } from '../../channels/channel-router.js';
import { MeshChannels } from '../../mesh/mesh-channels.js';
import type { Mesh } from '../../mesh/mesh-types.js';
import { lastToken, WHO } from '../../mesh/subjects.js';
import type { RemoteCrew } from '../../workers/pool/crew-types.js';
import type { Pool } from '../../workers/pool/pool.js';

/** Where a worker's processes run: here, on other machines, or on other machines while those here are busy. */
export type Placement = 'local' | 'remote' | 'spill';

/** Where the workers of an application run, by name; `'*'` is for those that are not named. */
export type Placements = Readonly<Record<string, Placement>>;

export function placementOf({ name }: Pick<WorkerBlueprint, 'name'>, placements: Placements): Placement {
  return (Object.hasOwn(placements, name) ? placements[name] : placements['*']) ?? 'local';
}

/** The blueprint of a worker that is placed on other machines: it has no processes here. */
export function placedWorker(worker: WorkerBlueprint, placements: Placements): WorkerBlueprint {
  if (placementOf(worker, placements) !== 'remote') return worker;
  return { ...worker, settings: { ...worker.settings, minWorkers: 0, maxWorkers: 0, spare: 0 } };
}

/** The application as a caller on the mesh. */
export class MeshSide {
  readonly #app: string;
  readonly #mesh: Mesh;
  readonly #placements: Placements;
  readonly #zone: string | undefined;
  readonly #clock: Clock;
  readonly #lists = new Map<string, HostList>();
  #node: MeshNode | undefined;

  constructor(app: string, mesh: Mesh, placements: Placements, zone: string | undefined, clock: Clock) {
    this.#app = app;
    this.#mesh = mesh;
    this.#placements = placements;
    this.#zone = zone;
    this.#clock = clock;
  }

  /** @throws MeshError when the mesh cannot be reached or refuses it. */
  async connect(channels: ChannelRouter): Promise<void> {
    const connection = await this.#mesh.connect();
    const node = (this.#node = new MeshNode(connection, this.#clock));
    connection.onStatus(isUp => publish(isUp ? 'mesh.up' : 'mesh.down', { app: this.#app, namespace: connection.namespace }));
    void new MeshChannels(node, channels);
    await node.subscribe(`${node.ownPrefix}.*`, message => {
      const token = lastToken(message.subject);
      if (!token.startsWith(`${WHO}-`)) return node.receive(message);
      if (!message.noReceiver) this.#lists.get(Buffer.from(token.slice(WHO.length + 1), 'hex').toString())?.learn(message.data);
    });
  }

  /** The part of a pool that runs on other machines; undefined: none of it does. */
  crew(pool: Pool): RemoteCrew | undefined {
    const placement = placementOf(pool.worker, this.#placements);
    const node = this.#node;
    if (placement === 'local' || !node) return undefined;
    const { name } = pool.worker;
    let list = this.#lists.get(name);
    if (!list) this.#lists.set(name, (list = new HostList(node, name)));
    return new MeshCrew(pool, { node, list, zone: this.#zone, isAlone: placement === 'remote' });
  }

  async close(): Promise<void> {
    for (const list of this.#lists.values()) list.close();
    await this.#node?.close();
  }
}
