import { z } from 'zod';

type Schema = z.core.$ZodType;

/** The schema that decides about `value`, with optional, default and the like taken off. */
export function resolveSchema(schema: Schema | undefined, value: unknown): Schema | undefined {
  let current = schema;
  for (;;) {
    if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodReadonly
    ) {
      current = current.unwrap() as Schema;
    } else if (current instanceof z.ZodPipe) {
      current = current.in as Schema;
    } else if (current instanceof z.ZodDiscriminatedUnion) {
      const kind = (value as Record<string, unknown> | null | undefined)?.[current.def.discriminator];
      const discriminator = current.def.discriminator;
      current = (current.options as Schema[]).find(
        (option) => option instanceof z.ZodObject && accepts(option.shape[discriminator] as Schema | undefined, kind),
      );
    } else {
      return current;
    }
  }
}

const accepts = (schema: Schema | undefined, value: unknown): boolean =>
  schema !== undefined && z.safeParse(schema, value).success;

/** The schema of the entry at `path`, following the alternatives that `value` chose. */
export function schemaAt(
  schema: Schema | undefined,
  value: unknown,
  path: ReadonlyArray<PropertyKey>,
): Schema | undefined {
  let current = resolveSchema(schema, value);
  let inner = value;
  for (const step of path) {
    inner = (inner as Record<PropertyKey, unknown> | null | undefined)?.[step];
    current = resolveSchema(childSchema(current, step), inner);
  }
  return current;
}

function childSchema(schema: Schema | undefined, step: PropertyKey): Schema | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(step)] as Schema | undefined;
  if (schema instanceof z.ZodArray) return schema.element as Schema;
  if (schema instanceof z.ZodRecord) return schema.valueType as Schema;
  return undefined;
}

/** Names an object schema knows, for suggestions; empty for anything else. */
export const keysOf = (schema: Schema | undefined): string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];

/** True when the schema, or what it wraps, carries the mark of `filePath()`. */
function isFilePath(schema: Schema | undefined): boolean {
  let current: unknown = schema;
  for (;;) {
    if (current instanceof z.ZodType && current.meta()?.filePath === true) return true;
    if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodReadonly
    ) {
      current = current.unwrap();
    } else {
      return false;
    }
  }
}

/** Every configured file path (marked by `filePath()`) in a value, with where it stands. */
export function filePathsIn(
  schema: Schema | undefined,
  value: unknown,
  path: ReadonlyArray<string | number> = [],
): Array<{ path: ReadonlyArray<string | number>; file: string }> {
  if (typeof value === 'string') return isFilePath(schema) ? [{ path, file: value }] : [];
  if (value === null || typeof value !== 'object') return [];
  const resolved = resolveSchema(schema, value);
  const entries: Array<[string | number, unknown]> = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([step, item]) => filePathsIn(childSchema(resolved, step), item, [...path, step]));
}
