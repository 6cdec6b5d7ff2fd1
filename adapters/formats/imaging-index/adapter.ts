import type { ImagingStudy } from '../../../agent/clinical/records/types.ts';
import type { FormatAdapter, RenderInput, RenderOutput } from '../../../agent/rendering/format.ts';
import { phi } from '../../../agent/support/phi.ts';
import type { CheckedPack } from './pack.ts';
import { valuesOf } from './study-values.ts';

/** Raise it when the code writes other bytes for the same input: what is held is then rendered again. */
const writerRevision = 1;

/**
 * The index of a study as a flat JSON object in UTF-8, its fields named and ordered by the pack. A study that is taken
 * back becomes a note without patient data, as reports do.
 */
export const imagingIndex: FormatAdapter = {
  kind: 'imaging-index',
  compile(checked) {
    const pack = checked as CheckedPack;
    return {
      render: (input) => render(pack, input),
      packHash: `${writerRevision} ${pack.hash}`,
      unverified: pack.unverified,
    };
  },
};

function render(pack: CheckedPack, input: RenderInput): RenderOutput {
  const { record } = input.content;
  if (record.kind !== 'imaging-study') return { kind: 'filtered', rule: 'record-kind' };
  const common = {
    kind: 'document' as const,
    type: pack.type,
    mediaType: 'application/json',
    reportNumber: phi(record.accessionNumbers[0] ?? record.studyUid),
    findings: [],
  };
  if (input.action === 'retract') {
    const { setId, version } = input;
    return { ...common, bytes: json({ operation: 'retract', type: pack.type, setId, version }) };
  }
  const made = objectOf(pack, record);
  return 'held' in made ? { kind: 'held', ...made.held } : { ...common, bytes: json(made.object) };
}

const json = (value: object) => phi(new TextEncoder().encode(`${JSON.stringify(value)}\n`));

function objectOf(
  { fields, joiner }: CheckedPack,
  study: ImagingStudy,
): { object: Record<string, string> } | { held: { code: string; where: string } } {
  const object: Record<string, string> = {};
  for (const { name, from, values, form, missing } of fields) {
    const found = valuesOf(study, from);
    const said =
      values === undefined ? found : found.flatMap((one) => (Object.hasOwn(values, one) ? (values[one] ?? []) : []));
    // A value that nobody mapped could mean anything there: a person says what it stands for.
    if (said.length < found.length) return { held: { code: 'MAP-3001', where: from } };
    if (said.length === 0) {
      if (missing === 'hold') return { held: { code: 'MAP-3009', where: from } };
      continue;
    }
    object[name] = said.map((one) => (form === undefined ? one : dashed(one))).join(joiner);
  }
  return { object };
}

/** yyyyMMdd as yyyy-MM-dd. */
const dashed = (date: string): string => `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`;
