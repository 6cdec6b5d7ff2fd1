/** Codes of HL7 table 0357 that an intake can answer with. */
export const errorConditions = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  200: 'Unsupported message type',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  207: 'Application internal error',
} as const;
export type ErrorCondition = keyof typeof errorConditions;

/** What became of a message: taken and durable, an error (the sender may send again), or a refusal. */
export type Outcome = { code: 'AA' } | ({ code: 'AE' | 'AR' } & Failure);
/** What is said: an outcome, or the same as the accept answer of enhanced mode. */
export type Answer = Outcome | { code: 'CA' } | ({ code: 'CE' | 'CR' } & Failure);
interface Failure {
  condition: ErrorCondition;
  /** MSH field the error is about. */
  field?: number;
  /** Fixed text of ours for a person, never anything received. */
  text?: string;
}

export const isTaken = (answer: Answer): answer is { code: 'AA' | 'CA' } =>
  answer.code === 'AA' || answer.code === 'CA';
