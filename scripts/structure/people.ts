/** Parts of lines in which who, whom, nobody or somebody are people: users, operators, visitors, attackers (R2). */
export const PEOPLE: readonly string[] = [
  'who are you?',
  'Decides who may come',
  'authorize says who may act',
  'For people who would pick',
  'For people who upgrade',
  'who is trusted with what',
  'Who is trusted with what',
  '| who | trusted with |',
  'names who found it',
  'Anyone who may publish',
  'written by somebody else',
  "Somebody with the master's uid",
  'an operator who reads',
  'within that millisecond somebody kills the master',
  // The rule itself
  'Who, whom, nobody, somebody are people',
];
