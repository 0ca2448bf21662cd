/** Names of the applications of this process that have not closed. */
const taken = new Set<string>();

/** The name itself, or with the first number that makes it unlike the others: 'AppModule', 'AppModule#2'. */
export function takeName(name: string): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}#${count}`;
  taken.add(free);
  return free;
}

/** The application has closed. */
export function leaveName(name: string): void {
  taken.delete(name);
}
