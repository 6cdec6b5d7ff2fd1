import type { Hono } from 'hono';
import { z } from 'zod';
import { lookupKinds, type PageStore } from '../store/contract.ts';
import { phi } from '../support/phi.ts';
import { badRequest, bodyOf, limitedBody } from './posted.ts';

const ROWS = 50;

const search = z.strictObject({
  by: z.enum(lookupKinds),
  term: z.string().trim().min(1).max(256),
  before: z.int().min(1).optional(),
});

/**
 * `POST /api/v1/messages/search`: messages that a number or a name stands in, whole and exactly. The term is patient data: it
 * travels in the body, goes to the store as it is and nowhere else, and no answer repeats it.
 */
export function messageSearch(app: Hono, find: PageStore['findMessages']): void {
  app.post('/api/v1/messages/search', limitedBody, async (c) => {
    const asked = await bodyOf(c, search);
    if (!asked) return badRequest(c);
    return c.json({ messages: await find(asked.by, phi(asked.term), ROWS, asked.before) });
  });
}
