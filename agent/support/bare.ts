import { Phi } from './phi.ts';

/** The same shape with patient data unwrapped: what may cross between our own threads, and nowhere else. */
export type Bare<T> =
  T extends Phi<infer V> ? V : T extends Uint8Array ? T : T extends object ? { [K in keyof T]: Bare<T[K]> } : T;

/** Unwraps every Phi inside plain objects and arrays; a Phi cannot be cloned to another thread. */
export function bare<T>(value: T): Bare<T> {
  if (value instanceof Phi) return value.reveal() as Bare<T>;
  if (Array.isArray(value)) return value.map(bare) as Bare<T>;
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value as Bare<T>;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) out[key] = bare(inner);
  return out as Bare<T>;
}
