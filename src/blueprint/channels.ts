import { channelSpecOf } from '../decorators/injection/channel-token.js';
import type { MemberDeclaration } from '../decorators/metadata.js';
import type { Report } from './mistakes.js';
import type { ConnectionBlueprint, Ctor } from './types.js';

/** `@OnChannel`, of connections and providers. */
export function readChannels(members: readonly MemberDeclaration[], report: Report): ConnectionBlueprint['channels'] {
  return members.flatMap(member => {
    if (member.decorator !== 'OnChannel') return [];
    if (channelSpecOf(member.token)) return [{ key: member.key, token: member.token as Ctor }];
    report(member.key, '@OnChannel was not given a channel', "give what channel('name') returned");
    return [];
  });
}
