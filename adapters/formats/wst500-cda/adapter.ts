import type { Finding } from '../../../agent/clinical/records/types.ts';
import type { FormatAdapter, RenderInput, RenderOutput } from '../../../agent/rendering/format.ts';
import { type ReadAsset, readAsset } from '../../../agent/support/assets.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { phi } from '../../../agent/support/phi.ts';
import { type XmlElement, xmlBytes } from '../xml.ts';
import { c0006 } from './c0006.ts';
import { c0007 } from './c0007.ts';
import { documentOf, type Report } from './document-types.ts';
import { type Draft, stated } from './draft.ts';
import { checkVersion } from './header/document-id.ts';
import { type CheckedPack, openPack, organizationCodeFits, type Pack } from './pack/pack.ts';
import { retraction } from './retraction.ts';
import { documentTime } from './times.ts';

/**
 * WS/T 500 CDA documents. A laboratory report becomes C0007 and an examination C0006, in the written form
 * the pack names, as XML in UTF-8; a withdrawal becomes a JSON note without patient data. `read` gives the code tables.
 */
export const createWst500Cda = (read: ReadAsset): FormatAdapter => ({
  kind: 'wst500-cda',
  compile(checked) {
    const pack = openPack(checked as CheckedPack, read);
    return {
      render: (input) => render(pack, input),
      packHash: pack.hash,
      unverified: pack.unverified,
    };
  },
});

export const wst500Cda: FormatAdapter = createWst500Cda(readAsset);

function render(pack: Pack, input: RenderInput): RenderOutput {
  const { record, context } = input.content;
  if (record.kind !== 'lab-report' && record.kind !== 'exam-report') return { kind: 'filtered', rule: 'record-kind' };
  const type = documentOf(record);
  try {
    checkVersion(input.setId, input.version);
    if (stated(record.reportNumber) === undefined) throw new QianzhiError('MAP-3009', 'reportNumber');
    const time = documentTime(context, record.reportedAt);
    const findings: Finding[] = [];
    const common = { kind: 'document', type: type.code, reportNumber: phi(record.reportNumber), findings } as const;
    if (input.action === 'retract') {
      return { ...common, mediaType: 'application/json', bytes: phi(retraction(input, type.code, time)) };
    }
    const orgCode = organizationCode(pack, input.site.orgCode);
    const xml = xmlBytes(write({ pack, type, report: record, input, orgCode, time, findings }));
    return { ...common, mediaType: 'application/xml', bytes: phi(xml) };
  } catch (error) {
    if (error instanceof QianzhiError && error.code.startsWith('MAP-')) {
      return { kind: 'held', code: error.code, where: error.where ?? '' };
    }
    throw error;
  }
}

function write(draft: Draft<Report>): XmlElement {
  const { report } = draft;
  return report.kind === 'lab-report' ? c0007({ ...draft, report }) : c0006({ ...draft, report });
}

/** The code this platform knows the site by. Throws QianzhiError MAP-3009 when it is missing or cannot stand in this form. */
function organizationCode(pack: Pack, site: string): string {
  const code = Object.hasOwn(pack.organizationCodes, site) ? (pack.organizationCodes[site] ?? '') : site;
  if (!organizationCodeFits(pack.form, code)) throw new QianzhiError('MAP-3009', 'site.orgCode');
  return code;
}
