import { z } from 'zod';

const hello = z.object({
  platform: z.string(),
  time: z.string().optional(),
  versions: z.array(z.number()),
  compression: z.array(z.string()).default([]),
});

export interface Hello {
  /** The platform's clock, milliseconds since 1970 UTC; undefined when it does not say or not intelligibly. */
  timeMs: number | undefined;
  compression: string[];
}

/** Reads the answer to `GET /v1/hello`; undefined when it is not one, or the platform does not speak version 1. */
export function readHello(body: Buffer): Hello | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = hello.safeParse(json);
  if (!parsed.success || !parsed.data.versions.includes(1)) return undefined;
  const timeMs = Date.parse(parsed.data.time ?? '');
  return { timeMs: Number.isFinite(timeMs) ? timeMs : undefined, compression: parsed.data.compression };
}
