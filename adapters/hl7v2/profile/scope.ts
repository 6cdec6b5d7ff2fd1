import type { Hl7Message, Segment } from '../parser.ts';
import type { PathTerm } from './path-syntax.ts';

/**
 * What a path sees while it is evaluated: of each segment the one that is current (the PID of this
 * patient, the OBR of this order, the OBX of this item). One scope is reused along a message; the last
 * path that gave a value is remembered in it, so that provenance costs nothing until asked for.
 */
export interface Scope {
  message: Hl7Message;
  /** Zone that dates with an offset are converted to. */
  timeZone: string;
  current: Record<string, Segment | undefined>;
  /** The path that gave the last value, and the repetition it found it in. */
  readFrom: PathTerm | undefined;
  readRepetition: number;
}

/** Where the last value was read, for example `PID-3[2].1`; never a value. */
export function lastRead(scope: Scope): string {
  const term = scope.readFrom;
  if (term === undefined) return 'literal';
  const repetition = term.selector === undefined && scope.readRepetition === 1 ? '' : `[${scope.readRepetition}]`;
  const component = term.component === undefined ? '' : `.${term.component}`;
  const subcomponent = term.subcomponent === undefined ? '' : `.${term.subcomponent}`;
  return `${term.segment}-${term.field}${repetition}${component}${subcomponent}`;
}
