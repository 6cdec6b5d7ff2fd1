import { runComparing } from '../agent/mapping/replay-documents.ts';
import { languages } from './languages.ts';

/** Entry of the thread that renders for a replay: hands the languages to the core, which may not name adapters itself. */
runComparing(languages);
