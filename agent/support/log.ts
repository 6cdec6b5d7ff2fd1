import pino from 'pino';

/**
 * What may stand beside an event: numbers, flags, configured names and codes. There is no free text
 * and nothing that came from outside (invariant 10): no message content, no error text of a library.
 */
export interface LogFields {
  code?: string;
  source?: string;
  platform?: string;
  peer?: string;
  seq?: number;
  n?: number;
  count?: number;
  bytes?: number;
  ms?: number;
  attempt?: number;
  status?: number;
  /** A closed list's member, for example a state. */
  state?: string;
  /** Code of a system error (`ECONNREFUSED`), never its text. */
  errno?: string;
  /** Where in the program a fault of ours was thrown (`placeOf`). */
  at?: string;
}

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** NDJSON to a file descriptor or file. pino.transport() is never used: it cannot work in the single binary. */
export function createLog(destination: string | number = 2, level: 'info' | 'warn' | 'error' | 'silent' = 'info'): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: destination, sync: true, mkdir: true }),
  );
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };
