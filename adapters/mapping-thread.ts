import { runMappingWorker } from '../agent/mapping/worker.ts';
import { registry } from './registry.ts';

/** Entry of the mapping worker: hands the registry to the core, which may not name adapters itself. */
await runMappingWorker(registry);
