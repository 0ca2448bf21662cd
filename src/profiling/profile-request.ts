/** cpu: the functions that the processor's time went to, a `.cpuprofile`. heap: all objects and what holds them, a `.heapsnapshot`. */
export type ProfileKind = 'cpu' | 'heap';

/** The profile that is wanted. */
export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** Milliseconds that a CPU profile lasts. A heap snapshot is of one moment. */
  readonly duration: number;
}

/** The longest `duration`, in milliseconds. */
export const MOST_DURATION = 60_000;

/** Whether a value that came from elsewhere asks for a profile. */
export function isProfileRequest(value: unknown): value is ProfileRequest {
  const { kind, duration } = (value ?? {}) as Partial<ProfileRequest>;
  return (kind === 'cpu' || kind === 'heap') && typeof duration === 'number' && duration >= 0 && duration <= MOST_DURATION;
}
