import { runMappingWorker } from '../agent/mapping/worker.ts';
import { languages } from './languages.ts';

/** Entry of the mapping worker: hands the languages to the core, which may not name adapters itself. */
// No await: in the single binary this file is CommonJS. A rejection ends the thread like any other error.
void runMappingWorker(languages);
