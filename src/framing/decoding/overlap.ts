/**
 * Whether a delimiter may begin inside of itself, as 'aa' does and '\r\n' does not. One that does not is found at the same places
 * from the front and from behind, and cannot come about where a message without it and a delimiter meet.
 */
export function overlapsItself(delimiter: Buffer): boolean {
  for (let size = 1; size < delimiter.length; size++) if (delimiter.subarray(0, size).equals(delimiter.subarray(-size))) return true;
  return false;
}
