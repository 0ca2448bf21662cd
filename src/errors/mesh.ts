import { PacketError } from './packet-error.js';

/** The mesh cannot be used: no server, not admitted, or not permitted. */
export class MeshError extends PacketError {
  /** unreachable: no server answers. refused: it does not accept this client, or this client not it. permission: it does not permit `subject`. */
  readonly reason: 'unreachable' | 'refused' | 'permission';
  /** The subject that is not permitted. */
  readonly subject: string | undefined;

  constructor(message: string, { reason, subject, cause }: { reason: MeshError['reason']; subject?: string | undefined; cause?: unknown }) {
    super(`mesh: ${message}`, 'ERR_PACKET_MESH', cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.subject = subject;
  }
}
