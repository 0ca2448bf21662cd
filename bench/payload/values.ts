export interface Row {
  readonly id: number;
  readonly name: string;
  readonly amount: number;
  readonly tags: string[];
}

/** What one row takes as JSON, more or less. */
const ROW_BYTES = 64;

/** Rows that take about so many bytes as JSON. */
export function objectOf(bytes: number): Row[] {
  return Array.from({ length: Math.max(1, Math.round(bytes / ROW_BYTES)) }, (_, id) => ({
    id,
    name: `row ${id}`,
    amount: id * 1.25,
    tags: ['kitchen', 'sale'],
  }));
}
