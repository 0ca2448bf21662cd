import type { Ctor, IsAny, Mismatch } from '../ctor.js';

/**
 * Carries a peer's three types where decorators and `connect()` can read them. It exists in types only.
 * `Peer<In, Out, Data>` declares: `declare readonly [peerTypes]?: { in: In; out: Out; data: Data }`.
 */
export declare const peerTypes: unique symbol;

/** Type parameters of a `Peer`, as properties that the compiler can read back. */
export interface PeerShape<In = unknown, Out = unknown, Data = unknown> {
  readonly [peerTypes]?: { readonly in: In; readonly out: Out; readonly data: Data };
}

type TypesOfPeer<P> =
  IsAny<P> extends true ? never : P extends unknown ? (typeof peerTypes extends keyof P ? NonNullable<P[typeof peerTypes]> : never) : never;

/** The type parameters of the peers among a class's constructor parameters; never where there is none. */
type PeerTypesOf<C> = EachPeer<ConstructorParameters<C extends Ctor ? C : never>>;
/** Each by itself: in a union, one parameter of type `any` or `unknown` would swallow the others. */
type EachPeer<A extends readonly unknown[]> = { [I in keyof A]-?: TypesOfPeer<A[I]> }[number];

type OutFits<Has, Out> = Has extends { readonly out: infer O }
  ? [O] extends [Out]
    ? unknown
    : Mismatch<'Peer<In, Out>: Out is not what the framing encodes'>
  : unknown;

/** `unknown` where the peer of a connection class sends what its framing encodes, else a {@link Mismatch}. */
export type PeerFits<C, Out> = [PeerTypesOf<C>] extends [never] ? unknown : OutFits<PeerTypesOf<C>, Out>;

/** The `data` that a connection class declares with `Peer<In, Out, Data>`; never where it declares no peer. */
export type DataOf<C> = [PeerTypesOf<C>] extends [never] ? never : PeerTypesOf<C>['data'];
