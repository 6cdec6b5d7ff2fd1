import { hash } from 'node:crypto';
import { z } from 'zod';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { parseYamlText } from '../../../config/yaml-document.ts';
import { modelPaths } from './study-values.ts';

const proof = {
  evidence: z.enum(['verified', 'inferred', 'unverified']),
  source: z.string().min(1),
};
const text = z.strictObject({ value: z.string().min(1).max(64), ...proof });

const packSchema = z.strictObject({
  pack: z.string().min(1),
  format: z.literal('imaging-index'),
  sources: z.record(z.string(), z.string()),
  type: text,
  joiner: text,
  /** By their name in the JSON object, in the order in which they are written. */
  fields: z.record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/),
    z.strictObject({
      from: z.enum(modelPaths),
      values: z.record(z.string(), z.string()).optional(),
      form: z.literal('yyyy-MM-dd').optional(),
      missing: z.enum(['hold', 'omit']),
      ...proof,
    }),
  ),
});

/** Pack as checked, plain data: what crosses to the mapping worker. */
export interface CheckedPack {
  type: string;
  joiner: string;
  fields: Array<{
    name: string;
    from: (typeof modelPaths)[number];
    values?: Record<string, string> | undefined;
    form?: 'yyyy-MM-dd' | undefined;
    missing: 'hold' | 'omit';
  }>;
  hash: string;
  unverified: string[];
}

/** Throws QianzhiError CFG-5010 with `where` = `pack line:column path`, or `overlay`: this format has nothing to overlay. */
export function checkPack(packText: string, overlay: Record<string, unknown>): CheckedPack {
  const [over] = Object.keys(overlay);
  if (over !== undefined) throw new QianzhiError('CFG-5010', `overlay ${over}`);
  const yaml = parseYamlText(packText);
  const refuse = (path: ReadonlyArray<string | number>): QianzhiError => {
    const { line, column } = yaml.positionOf(path);
    return new QianzhiError('CFG-5010', `pack ${line}:${column} ${path.join('.')}`);
  };
  const [problem] = yaml.problems;
  if (problem) throw new QianzhiError('CFG-5010', `pack ${problem.position.line}:${problem.position.column}`);
  const parsed = packSchema.safeParse(yaml.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? []).map((step) => (typeof step === 'symbol' ? String(step) : step));
    throw refuse(issue?.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path);
  }
  const { type, joiner, fields, sources } = parsed.data;
  type Proof = { evidence: string; source: string };
  const proven: Array<[path: string[], proof: Proof]> = [
    [['type'], type],
    [['joiner'], joiner],
    ...Object.entries(fields).map(([name, field]): [string[], Proof] => [['fields', name], field]),
  ];
  for (const [path, { source }] of proven) {
    if (!Object.hasOwn(sources, source)) throw refuse([...path, 'source']);
  }
  return {
    type: type.value,
    joiner: joiner.value,
    fields: Object.entries(fields).map(([name, { from, values, form, missing }]) => ({
      name,
      from,
      values,
      form,
      missing,
    })),
    hash: hash('sha256', packText),
    unverified: proven.filter(([, { evidence }]) => evidence === 'unverified').map(([path]) => path.join('.')),
  };
}
