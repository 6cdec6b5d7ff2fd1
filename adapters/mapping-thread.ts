import { runMappingWorker } from '../agent/mapping/worker.ts';
import { languages } from './languages.ts';

/** Entry of the mapping worker: hands the languages to the core, which may not name adapters itself. */
await runMappingWorker(languages);
