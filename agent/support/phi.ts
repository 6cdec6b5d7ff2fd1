import { inspect } from 'node:util';

/**
 * Patient data that cannot be printed by accident (invariant 10): `toString`, `toJSON` and
 * `util.inspect` give `[PHI]`. Call `reveal()` only where the value is used: in a document, in a
 * sealed row, in an answer to an authorised person.
 */
export class Phi<T> {
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
  }
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return '[PHI]';
  }
  toJSON(): string {
    return '[PHI]';
  }
  [inspect.custom](): string {
    return '[PHI]';
  }
}

/** Wraps a value as patient data. */
export const phi = <T>(value: T): Phi<T> => new Phi(value);
