import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { StudyDesk } from '../control/study-desk.ts';
import { QianzhiError } from '../support/errors.ts';
import { badRequest, bodyOf, limitedBody } from './posted.ts';

const ROWS = 50;

const search = z.strictObject({
  by: z.enum(['accession', 'uid', 'patient']),
  term: z.string(),
  before: z.int().min(1).optional(),
});
const where = z.strictObject({ platform: z.string().min(1).max(256).optional() });
/** Our own number of a study, or of an image: no patient data, so it may stand in a URL. */
const number = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number);

/** What a person cannot have, with its code; anything else is the server's. */
async function told(c: Context, answer: () => Promise<object>): Promise<Response> {
  try {
    return c.json(await answer());
  } catch (error) {
    if (!(error instanceof QianzhiError) || !error.code.startsWith('DCM-228')) throw error;
    return c.json({ error: 'refused', code: error.code }, error.code === 'DCM-2281' ? 404 : 422);
  }
}

/**
 * Studies one by one: `POST /api/v1/studies/search` (the term is patient data and travels in the body), `GET
 * /api/v1/studies/:n`, `GET /api/v1/studies/:n/instances?after=`, `POST /api/v1/studies/:n/resend`.
 */
export function studyRoutes(app: Hono, studies: Pick<StudyDesk, 'find' | 'show' | 'instances' | 'resend'>): void {
  app.post('/api/v1/studies/search', limitedBody, async (c) => {
    const asked = await bodyOf(c, search);
    if (!asked) return badRequest(c);
    return told(c, async () => ({ studies: await studies.find(asked.by, asked.term, ROWS, asked.before) }));
  });
  app.get('/api/v1/studies/:n', async (c) => {
    const n = number.safeParse(c.req.param('n')).data;
    return n === undefined ? badRequest(c) : told(c, async () => ({ study: await studies.show(n) }));
  });
  app.get('/api/v1/studies/:n/instances', async (c) => {
    const n = number.safeParse(c.req.param('n')).data;
    const after = number.safeParse(c.req.query('after') ?? '0').data;
    if (n === undefined || after === undefined) return badRequest(c);
    return told(c, async () => ({ instances: await studies.instances(n, ROWS, after) }));
  });
  app.post('/api/v1/studies/:n/resend', limitedBody, async (c) => {
    const n = number.safeParse(c.req.param('n')).data;
    const asked = await bodyOf(c, where);
    if (n === undefined || !asked) return badRequest(c);
    return told(c, () => studies.resend({ study: n }, asked.platform));
  });
}
