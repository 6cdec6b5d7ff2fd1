import { z } from 'zod';
import type { StudyDesk } from './study-desk.ts';

const number = z.int().min(0);
const page = { limit: z.int().min(1).max(200).optional() };
const platform = z.string().min(1).max(256);

const route = <Body, Answer>(body: z.ZodType<Body>, run: (desk: StudyDesk, asked: Body) => Promise<Answer>) => ({
  body,
  run,
});

/** Everything that can be asked over the channel: a POST each, with a JSON body. */
export const controlRoutes = {
  '/studies/list': route(z.strictObject({ ...page, before: number.optional() }), (desk, { limit = 50, before }) =>
    desk.list(limit, before),
  ),
  '/studies/find': route(
    z.strictObject({
      by: z.enum(['accession', 'uid', 'patient']),
      term: z.string(),
      ...page,
      before: number.optional(),
    }),
    (desk, { by, term, limit = 50, before }) => desk.find(by, term, limit, before),
  ),
  '/studies/show': route(z.strictObject({ study: number }), (desk, { study }) => desk.show(study)),
  '/studies/unmatched': route(z.strictObject({}), (desk) => desk.unmatched()),
  '/studies/instances': route(
    z.strictObject({ study: number, ...page, after: number.optional() }),
    (desk, { study, limit = 50, after }) => desk.instances(study, limit, after),
  ),
  '/studies/resend': route(
    z.strictObject({ study: number, platform: platform.optional() }),
    (desk, { study, platform: to }) => desk.resend({ study }, to),
  ),
  '/instances/resend': route(
    z.strictObject({ n: number, platform: platform.optional() }),
    (desk, { n, platform: to }) => desk.resend({ n }, to),
  ),
  '/studies/withdraw': route(z.strictObject({ study: number }), (desk, { study }) => desk.withdraw(study)),
  '/studies/restore': route(z.strictObject({ study: number }), (desk, { study }) => desk.restore(study)),
  '/studies/deleted': route(z.strictObject({ study: number, platform }), (desk, { study, platform: at }) =>
    desk.deleted(study, at),
  ),
  '/platforms/forget': route(z.strictObject({ platform }), (desk, { platform: gone }) => desk.forgetPlatform(gone)),
};

export type ControlPath = keyof typeof controlRoutes;
export type ControlBody<P extends ControlPath> = z.infer<(typeof controlRoutes)[P]['body']>;
export type ControlAnswer<P extends ControlPath> = Awaited<ReturnType<(typeof controlRoutes)[P]['run']>>;
