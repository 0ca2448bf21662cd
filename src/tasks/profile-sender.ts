import { ownProfile } from '../profiling/own-profile.js';
import type { ProfileRequest } from '../profiling/profile-request.js';
import { encodeValue } from '../wire/codec/codec.js';
import { INITIAL_ROOM, type Room } from '../wire/link/credit.js';
import { sendError } from '../wire/link/failure.js';
import { Kind, MOST_PROFILE_PIECE, ProfileStep } from '../wire/link/protocol.js';
import type { Body, Link } from '../wire/link/types.js';
import { CreditGate } from './streams/credit.js';

/** A profile on its way. */
interface Sending {
  readonly abort: AbortController;
  readonly gate: CreditGate;
}

function left(): Error {
  return new Error('the master wants no more of it');
}

/** Takes the profiles of this process that the master asks for, and sends them as far as the master takes them. */
export class ProfileSender {
  readonly #link: Link;
  readonly #sending = new Map<number, Sending>();

  constructor(link: Link) {
    this.#link = link;
  }

  /** PROFILE has come. */
  message(id: number, step: number, body: Body): void {
    if (step === ProfileStep.take) void this.#send(id, body.value() as ProfileRequest);
    else this.#leave(id);
  }

  /** The master takes more of it. */
  give(id: number, room: Room): void {
    this.#sending.get(id)?.gate.give(room);
  }

  /** The link is over. */
  close(): void {
    for (const id of this.#sending.keys()) this.#leave(id);
  }

  #leave(id: number): void {
    const sending = this.#sending.get(id);
    sending?.abort.abort(left());
    sending?.gate.close(left);
  }

  async #send(id: number, request: ProfileRequest): Promise<void> {
    const link = this.#link;
    const abort = new AbortController();
    const gate = new CreditGate(INITIAL_ROOM.profiles, {
      send: encoded => link.sendEncoded(Kind.PROFILE, id, ProfileStep.bytes, encoded),
    });
    this.#sending.set(id, { abort, gate });
    const onBegun = (): void => {
      link.send(Kind.PROFILE, id, ProfileStep.begun);
      // A heap snapshot keeps the event loop.
      link.flush();
    };
    try {
      for await (const piece of ownProfile(request, { signal: abort.signal, onBegun }))
        await gate.push(encodeValue(piece, MOST_PROFILE_PIECE, 'profile'));
      link.send(Kind.PROFILE, id, ProfileStep.end);
    } catch (error) {
      sendError(link, Kind.PROFILE, id, ProfileStep.failed, error);
    }
    this.#sending.delete(id);
  }
}
