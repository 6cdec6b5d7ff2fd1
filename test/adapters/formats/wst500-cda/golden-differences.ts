import { existsSync, readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { flatten, parse } from './flatten.ts';

/** Folder of the golden pairs: what a hospital sends and the document that it stands for. */
export const goldenFolder = new URL('../../../../../shared/reference/formats/golden/', import.meta.url);
export const missingGolden: string | false = existsSync(goldenFolder)
  ? false
  : 'the golden pairs in ../shared are not here';

type Difference = readonly [pattern: string, reason: string];

const body = 'component/structuredBody/component/section';
const laboratory = `${body}{STUDIES SUMMARY}`;
const report = `${body}{检验报告}`;
/** Differences by path; the reason says why ours is not the golden file's. `*` stands for any path below. */
const notCarried: readonly Difference[] = [
  ['id{2.16.156.10011.1.1}/@extension', 'derived from set id and version, not carried'],
  ['effectiveTime/@value', 'document time is the message time (MSH-7 10:26:00); the golden 10:30:00 is made up'],
  ['authenticator{检验技师}*', 'the message names no technician'],
  [`${body}{Diagnosis}/entry*`, 'the message has no DG1'],
  [`${laboratory}/entry/observation{DE02.10.027.00}*`, 'the message names no method (OBX-17)'],
  [`${laboratory}/entry/observation{DE04.30.018.00}/value`, 'no category in the message: the panel of OBR-4 stands'],
  [
    `${laboratory}/entry/organizer{*}/component/observation{DE04.30.019.00}/entryRelationship/observation{DE04.50.135.00}*`,
    'no specimen condition in the message',
  ],
  [`${report}/entry/observation{DE04.50.130.00}/value`, 'no conclusion in the message: the items are told'],
  [`${report}/entry/observation{DE08.10.026.00}*`, 'the message does not name the reporting department'],
  [`${report}/entry/observation{DE06.00.179.00}*`, 'the message has no remark'],
  [`${laboratory}/text*`, 'the golden file leaves the readable part empty; ours carries names, units and ranges'],
  ['componentOf/wholeOrganization{2.16.156.10011.1.21}*', 'PV1-3.2 (room) is empty'],
  ['componentOf/wholeOrganization{2.16.156.10011.1.27}/name', 'the message has the ward code only'],
];
const onlyBase: readonly Difference[] = [
  ['title', 'the national list says 检验报告; the 2012 schema does not check'],
  ['setId/@*', 'always set; the golden file leaves it empty'],
  ['versionNumber/@*', 'always set; the golden file leaves it empty'],
  ['relatedDocument*', 'only from the second version on'],
  ['legalAuthenticator/time/@*', 'the message carries no audit time'],
  ['authenticator{检验医师}/time/@value', 'the time of the report; the golden 10:25:00 is made up'],
  [
    '*{2.16.156.10011.1.5}/@extension',
    'organisation code is configuration; the golden base file has a 22-character one',
  ],
  ['componentOf/wholeOrganization{2.16.156.10011.1.22}/name', 'the message has the bed number only'],
];

const explained = (path: string, reasons: readonly Difference[]): boolean =>
  reasons.some(([pattern]) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^/ClinicalDocument/${parts.join('.*')}$`, 'su').test(path);
  });

/** The golden C0007 of each pack, and what may differ from it. */
export const goldenDocuments = {
  'cn-wst500': { file: 'C0007_lab.xml', reasons: [...notCarried, ...onlyBase] },
  'cn-wst500-strict': { file: 'strict/C0007_lab.strict.xml', reasons: notCarried },
} as const;

/** Ours equals the golden document in every attribute and text but those with a reason; each reason is still needed. */
export function equalsGolden(t: Test, document: Uint8Array, pack: keyof typeof goldenDocuments): void {
  const { file, reasons } = goldenDocuments[pack];
  const ours = flatten(parse(new TextDecoder('utf-8', { fatal: true }).decode(document)));
  const theirs = flatten(parse(readFileSync(new URL(file, goldenFolder), 'utf8')));
  const differing = [...new Set([...theirs.keys(), ...ours.keys()])].filter((p) => theirs.get(p) !== ours.get(p));
  for (const path of differing) {
    t.ok(explained(path, reasons), path, { golden: theirs.get(path), ours: ours.get(path) });
  }
  for (const reason of reasons) {
    t.ok(
      differing.some((path) => explained(path, [reason])),
      `still needed: ${reason.join(' — ')}`,
    );
  }
  t.ok(theirs.size - differing.length > 150, 'most is equal', { equal: theirs.size - differing.length });
}
