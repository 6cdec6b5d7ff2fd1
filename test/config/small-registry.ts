import { z } from 'zod';
import type { Registry } from '../../agent/registry.ts';
import { QianzhiError } from '../../agent/support/errors.ts';
import { filePath } from '../../agent/support/file-path.ts';
import { bothLanguages } from '../../agent/support/text.ts';

/**
 * A registry with the same shape as the real one and nothing behind it: enough to check a
 * configuration, which must open nothing anyway.
 */
export const smallRegistry: Registry = {
  sources: [
    {
      kind: 'hl7-mllp',
      config: z.strictObject({
        host: z.string().default('127.0.0.1'),
        port: z.int().min(0).max(65_535),
        peers: z.array(z.string()).min(1).optional(),
        tls: z.strictObject({ client_certificates: z.string() }).optional(),
      }),
      start: () => Promise.reject(new Error('not in a configuration test')),
    },
    {
      kind: 'hl7-folder',
      config: z
        .strictObject({ folder: filePath(), done: filePath().optional() })
        .refine((own) => own.done !== own.folder, {
          path: ['done'],
          error: bothLanguages('不能与 folder 相同。', 'must differ from folder.'),
        }),
      start: () => Promise.reject(new Error('not in a configuration test')),
    },
  ],
  profiles: [
    {
      sourceKinds: ['hl7-mllp', 'hl7-folder'],
      check(text) {
        if (text.includes('broken')) throw new QianzhiError('CFG-5009', '2:7 report.number');
        return { text };
      },
      compile: () => ({
        corrections: 'unknown',
        quietMs: 0,
        parkMs: 0,
        read: () => ({ kind: 'filtered', type: 'other', rule: 'test', lookups: [] }),
      }),
    },
  ],
  formats: [
    {
      kind: 'wst500-cda',
      check(text) {
        if (text.includes('broken')) throw new QianzhiError('CFG-5010', 'elements.sex');
        return { text };
      },
      compile: () => ({
        packHash: 'x',
        unverified: ['sections.method'],
        render: () => ({ kind: 'filtered', rule: 'test' }),
      }),
    },
  ],
  imageSources: [],
  imagePlatforms: [],
  platforms: [
    {
      kind: 'https',
      config: z.strictObject({
        url: z.url({ protocol: /^https$/ }),
        tls: z.strictObject({ ca: filePath(), cert: filePath(), key: filePath() }),
      }),
      open: () => Promise.reject(new Error('not in a configuration test')),
    },
  ],
};

/** A configuration without fault; tests replace single lines of it. */
export const goodConfig = `config_version: 1
site:
  name: 示例医院
  org_code: "123456789012345678"
data:
  folder: ./data
  key: file:./keys/data.key
sources:
  - name: lis
    kind: hl7-mllp
    profile: ./profile.yaml
    port: 2575
platforms:
  - name: province
    kind: https
    format: wst500-cda
    pack: ./pack.yaml
    url: https://platform.example.invalid/
    tls:
      ca: certs/ca.pem
      cert: certs/client.pem
      key: certs/client.key
`;
