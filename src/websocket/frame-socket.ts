import { WebSocket } from 'ws';

/**
 * `ws` answers a close frame, or a violation of the protocol, with its own at once. Here the session decides when: what was received is
 * handled and answered first. So everything that `ws` itself closes is told instead, and `finish` is how we close.
 */
export class FrameSocket extends WebSocket {
  /** The code that `ws` would have sent: undefined is a close frame without a code. */
  #code: number | undefined;
  /** The peer has closed, or broken the protocol: its code is the answer. */
  #told = false;
  /** Told once, when the peer has sent its close frame; not for violations, of which 'error' tells. */
  onPeerClosed: () => void = () => {};

  /** Called by `ws` alone: with the peer's code and reason, with nothing where it gave none, with a code alone after a violation. */
  override close(...parts: readonly [code?: number, reason?: string | Buffer]): void {
    if (this.readyState === WebSocket.CONNECTING) {
      super.close();
      return;
    }
    const first = !this.#told;
    this.#told = true;
    if (first) [this.#code] = parts;
    if (parts.length !== 1 && first) this.onPeerClosed();
    // Our close frame was first: this completes the handshake.
    if (this.readyState !== WebSocket.OPEN) super.close();
  }

  /** Sends our close frame: the peer's code where it has closed before us, or what its violation is called. */
  finish(code: number, reason?: string): void {
    if (!this.#told) super.close(code, reason);
    else if (this.#code === undefined) super.close();
    else super.close(this.#code);
  }
}
