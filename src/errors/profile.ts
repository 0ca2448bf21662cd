import { PacketError } from './packet-error.js';

/**
 * Why a profile cannot be had. busy: one is being taken of that process already. denied: its permissions keep the inspector from it. unavailable:
 * it cannot take one, or has no such process. too-large: it would have more bytes than a profile may have. unanswered: a task holds its event
 * loop. ended: the process ended meanwhile.
 */
export type ProfileFailure = 'busy' | 'denied' | 'unavailable' | 'too-large' | 'unanswered' | 'ended';

/** A CPU profile or heap snapshot that cannot be taken, or broke off; `reason` says why. */
export class ProfileError extends PacketError {
  readonly reason: ProfileFailure;

  constructor(reason: ProfileFailure, message: string, options?: { cause?: unknown }) {
    super(message, 'ERR_PACKET_PROFILE', options);
    this.reason = reason;
  }
}
