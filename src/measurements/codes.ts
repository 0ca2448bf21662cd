/** Different codes that are counted by themselves. */
const MOST = 100;
const CODE = /^[\w.-]{1,64}$/;

/** Error codes as labels: what tasks throw is anything, and each label costs memory for ever. Codes beyond the first hundred are 'other'. */
export class Codes {
  readonly #known = new Set<string>();

  of(code: string | undefined): string {
    if (code === undefined || !CODE.test(code)) return 'other';
    if (this.#known.has(code)) return code;
    if (this.#known.size >= MOST) return 'other';
    this.#known.add(code);
    return code;
  }
}
