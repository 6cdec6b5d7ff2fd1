import { z } from 'zod';

/** A path expression of path-syntax.ts; compiled and checked at load. */
export const path = z.string().min(1).meta({ path: true });
export const coded = z.strictObject({ code: path.optional(), name: path.optional() });
export const person = z.strictObject({ id: path.optional(), name: path.optional() });
