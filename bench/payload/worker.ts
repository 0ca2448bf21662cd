import { z } from 'zod';
import { bytes, Task, transfer, Worker } from '../../src/index.js';
import { objectOf, type Row } from './values.js';

const RowSchema = z.object({ id: z.number(), name: z.string(), amount: z.number(), tags: z.array(z.string()) });

/** Takes and gives values of any size. */
@Worker('bench_payload', { maxMessageSize: '128mb', concurrency: 4, timeout: 0 })
export class PayloadWorker {
  @Task({ input: bytes(), output: z.number() })
  takeBytes(value: Uint8Array): number {
    return value.length;
  }

  @Task({ input: z.number(), output: bytes() })
  giveBytes(length: number): Uint8Array {
    return transfer(Buffer.allocUnsafe(length));
  }

  @Task({ input: z.array(RowSchema), output: z.number() })
  takeRows(rows: Row[]): number {
    return rows.length;
  }

  @Task({ input: z.number(), output: z.array(RowSchema) })
  giveRows(bytesWanted: number): Row[] {
    return objectOf(bytesWanted);
  }

  /** The neighbour of a large value. */
  @Task({ input: z.number(), output: z.number() })
  small(value: number): number {
    return value;
  }
}
