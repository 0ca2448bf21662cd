/** Parts of lines in which who, whom, nobody or somebody are people: users, operators, visitors (R2). */
export const PEOPLE: readonly string[] = ['who are you?', 'Decides who may come', 'authorize says who may act'];
