import { createServer } from 'node:net';
import { socketPlace } from '../../../agent/control/place.ts';

// Listens where an agent would, until it is killed.
createServer().listen(socketPlace(process.argv[2] ?? '').address, () => process.stdout.write('listening\n'));
