import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Bilingual } from '../../../agent/support/text.ts';
import { answerCases } from './cases-answers.ts';
import { lineCases } from './cases-line.ts';
import { trustCases } from './cases-trust.ts';
import type { PlatformRig } from './rig.ts';

/** What becomes of a document: it waits and is tried again, is held for a person, or is delivered. */
export type Fate = 'waits' | 'held' | 'delivered';

/** What is seen while a fault lasts, or after one that hits once. Observed, then compared with what the case says. */
export interface Observed {
  /** `retrying`: backing off. `stopped`: uploads stopped, slow probe. `idle`: nothing is wrong with the platform. */
  state: 'retrying' | 'stopped' | 'idle';
  /** Code of the last error in the status, when the fault left one. */
  lastError?: ErrorCode;
  /** Codes that the status page shows for the platform because of it. */
  shown: ErrorCode[];
  /** The document of one patient, which the fault is about. */
  affected: Fate;
  /** The code it waits or is held under; looked at only where the case names one. */
  documentCode?: ErrorCode;
  /** The document of another patient, rendered at the same moment. */
  neighbour: Fate;
  /** How often the platform read the affected document off the wire. */
  arrives: 'never' | 'once' | 'again';
}

/** One fault at the platform or on the way to it: how it is made, and what is true while it lasts and after. */
export interface PlatformCase {
  id: string;
  fault: Bilingual;
  begin(rig: PlatformRig): void | Promise<void>;
  /** Ends it; a fault that hits once ends itself. */
  end?(rig: PlatformRig): void | Promise<void>;
  during: Observed;
  /** In the end; delivered means once in effect, under the key of the first attempt. */
  after: { affected: Fate; neighbour: Fate };
  /** What a person has to do before it goes on, when it does not by itself. */
  person?: Bilingual;
  /** Calls of the loop to wait for before looking, so that nothing fleeting is taken for lasting. */
  calls?: number;
  /** Limit of a whole exchange while it lasts, in milliseconds; long otherwise, for a busy machine. */
  exchangeMs?: number;
  /** Document bytes before the hexadecimal, for faults that depend on the size. */
  bytes?: number;
  /** Least time between the first attempt and the second, in milliseconds. */
  waitsAtLeastMs?: number;
}

export const platformCases: Array<{ title: Bilingual; cases: PlatformCase[] }> = [
  { title: { zh: '线路', en: 'The line' }, cases: lineCases },
  { title: { zh: '信任与身份', en: 'Trust and identity' }, cases: trustCases },
  { title: { zh: '平台的回答', en: 'What the platform answers' }, cases: answerCases },
];
