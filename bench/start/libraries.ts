/** What a worker's own code needs: schemas and dependency injection. */
import 'reflect-metadata';
import { container } from 'tsyringe';
import { z } from 'zod';

process.send!(Object.keys(z).length + (container.isRegistered('nothing') ? 1 : 0));
process.on('disconnect', () => process.exit());
