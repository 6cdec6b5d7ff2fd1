import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';

const LONGEST_BODY = 4 * 1024;

/** A longer body is answered 413 and not read. */
export const limitedBody = bodyLimit({ maxSize: LONGEST_BODY, onError: (c) => c.json({ error: 'too-long' }, 413) });

/** The JSON of a request as `body` wants it; undefined when it is something else. */
export const bodyOf = async <T>(c: Context, body: z.ZodType<T>): Promise<T | undefined> =>
  body.safeParse(await c.req.json().catch(() => undefined)).data;

export const badRequest = (c: Context) => c.json({ error: 'bad-request' }, 400);
