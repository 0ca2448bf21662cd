/** Parts of lines in which who, whom, nobody or somebody are people (R2). */
export const PEOPLE: readonly string[] = ['who are you?'];
