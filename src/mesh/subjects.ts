/** Letters that a token cannot have as they are, and what would read like one of them: they are written `_xHH`. */
const ESCAPED = /[^A-Za-z0-9_-]|_(?=x)/gu;

/** A name as one token of a subject. Different names give different tokens. */
export function tokenOf(name: string): string {
  return name.replaceAll(ESCAPED, char => [...Buffer.from(char)].map(byte => `_x${byte.toString(16).padStart(2, '0')}`).join(''));
}

/** Last token of the subject on which a host is asked to replace the processes of a worker. */
export const RESTART = 'restart';

/** Last token of the subject on which one host is asked whether it is there, and start of the one that answers come on. */
export const WHO = 'who';

/** The last token of a subject. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/**
 * All subjects of a namespace. Permissions follow them: callers publish `q` and `who` of workers that they may call and receive
 * `c` of their own user; hosts receive `q` and `who` of the workers that they serve and publish `c` and `here`.
 */
export function subjectsOf(namespace: string) {
  const ns = tokenOf(namespace);
  return {
    /** Callers ask which hosts serve a worker. */
    who: (worker: string): string => `${ns}.who.${tokenOf(worker)}`,
    /** Hosts say that they serve a worker, or no longer do. */
    here: (worker: string): string => `${ns}.here.${tokenOf(worker)}`,
    /** Frames to one host for one worker; the last token is the session. */
    toHost: (worker: string, host: string, session: string): string => `${ns}.q.${tokenOf(worker)}.${host}.${session}`,
    /** Start of the subjects that one caller receives on; the last token is the session. */
    toCaller: (user: string, caller: string): string => `${ns}.c.${tokenOf(user)}.${caller}`,
    /** Whether frames may be sent there: a caller names its own subjects. */
    isCaller: (prefix: string): boolean => prefix.startsWith(`${ns}.c.`) && /^[\w-]+(?:\.[\w-]+){3}$/.test(prefix),
    /** Whether an answer may be published there: a message names any subject to be answered on. */
    isAnswer: (subject: string): boolean =>
      (subject.startsWith(`${ns}.c.`) || subject.startsWith(`${ns}.q.`)) && /^[\w-]+(?:\.[\w-]+){4}$/.test(subject),
    /** Items of one channel. */
    channel: (name: string): string => `${ns}.ch.${tokenOf(name)}`,
  };
}

export type Subjects = ReturnType<typeof subjectsOf>;
