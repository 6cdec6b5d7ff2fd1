import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkDicomProfile } from '../../../adapters/dicom/profile/check.ts';
import { dicomProfiles } from '../../../adapters/dicom/profile/compile.ts';
import { compileProfile } from '../../../adapters/hl7v2/profile/check.ts';
import { mapBatch, mapDue } from '../../../agent/mapping/map.ts';
import { matchBatch } from '../../../agent/matching/match.ts';
import { readAsset } from '../../../agent/support/assets.ts';
import { silentLog } from '../../../agent/support/log.ts';
import { localTime } from '../../demo/messages.ts';
import { quickFolder } from '../../quick-folder.ts';
import { hl7Time, type Message, type Person, person } from '../../stories/messages.ts';
import { exam } from '../../stories/results.ts';
import { imageRig, type Said } from '../images/rig.ts';

const hl7Text = readAsset('config/dialects/cn-default.yaml');
const hl7 = compileProfile(hl7Text);
/** Another institution beside the hospital, told by MSH-4 `TCM`. */
export const tcm = '12100000MB0000002K';
/** The RIS' profile where several institutions send through it. */
export const tellsInstitutions = (numbers: 'own' | 'shared') =>
  compileProfile(
    hl7Text
      .replace(/^patient:\n/m, `organisation: { path: MSH-4.1, patient_numbers: ${numbers} }\npatient:\n`)
      .replace(/^tables:\n/m, `tables:\n  organisations: { H: "12100000MB0000001P", TCM: "${tcm}" }\n`),
  );
const usual = readAsset('config/dialects/dicom-default.yaml');
const changed = (from: string, to: string): string => {
  if (!usual.includes(from)) throw new Error(`the default profile says ${from} no more`);
  return usual.replace(from, to);
};
/** Source profiles of the PACS: as it comes, with the hospital's patient numbers, with the exam number as Study ID. */
export const profiles = {
  usual,
  inHouse: changed('\npatient_id: own', '\npatient_id: in-house'),
  studyId: changed('report_numbers: [accession]', 'report_numbers: [study-id]'),
};

export const hourMs = 3_600_000;
export const zhang = person('P0001', '张晋');
export const li = person('P0002', '李珅');

/** A final CT report; `accession` in OBR-3, where the default profile looks for it. */
export const reportOf = (number: string, accession: string, who: Person = zhang) =>
  exam(number).of(who).tube(accession).final('检查所见 双肺清晰', '诊断意见 未见异常');

/** What the header of an image says of the person. */
export const imageOf = (who: Person): Partial<Said> => ({
  patientId: who.number,
  patientName: { alphabetic: who.name },
  sex: who.sex,
  birthDate: who.birthDate,
  studyDate: '20260305',
});

/**
 * The real store and spool with images coming in as in test/agent/images, the hospital's RIS and HIS beside them, and the
 * stages as the mapping worker runs them: index, issue, map, match.
 */
export async function matchingRig(profile = profiles.usual, folder = quickFolder('matching'), ris = hl7) {
  const keyReference = `file:${join(folder, 'data.key')}`;
  const rig = await imageRig(folder, { sources: ['pacs', 'ris', 'his'], keyReference, reportWaitMs: 72 * hourMs });
  const mapping = {
    store: rig.view,
    readers: new Map([
      ['ris', ris],
      ['his', hl7],
      ['pacs', dicomProfiles.compile(checkDicomProfile(profile))],
    ]),
    timeZone: 'Asia/Shanghai',
    orgCode: '12100000MB0000001P',
    clock: { now: rig.now, monotonic: () => 0 },
    setIdOf: (key: string) => Buffer.from(key).toString('hex').padEnd(32, '0').slice(0, 32),
  };
  const matching = { store: rig.view, clock: { monotonic: () => 0 }, log: silentLog };
  let uid = 0;
  let control = 0;
  const here = {
    ...rig,
    mapping,
    matching,
    async map(): Promise<void> {
      await rig.indexAll();
      while ((await rig.issue()) > 0);
      while ((await mapBatch(mapping)) + (await mapDue(mapping)) > 0);
    },
    async match(): Promise<number> {
      let done = 0;
      for (let some = -1; some !== 0; done += some) some = await matchBatch(matching);
      return done;
    },
    async work(): Promise<void> {
      await here.map();
      await here.match();
    },
    /** @returns the message's seq. */
    async says(source: string, message: Message): Promise<number> {
      rig.tick(60_000);
      const controlId = `${folder.length}-${rig.now()}-${++control}`;
      const sent = message.sent === undefined ? localTime(rig.now()) : hl7Time(message.sent);
      const text = message.write({ application: source.toUpperCase(), controlId, sent });
      const { seq } = await rig.store.accept({
        source,
        bytes: Buffer.from(text),
        controlId: Buffer.from(controlId),
        receivedMs: rig.now(),
      });
      await here.work();
      return seq;
    },
    ris: (message: Message) => here.says('ris', message),
    /** An image of a study comes, and nothing more of it for so long that it is issued. @returns the study's number. */
    async pacs(study: string, said: Partial<Said>): Promise<number> {
      const incoming = await rig.take({ uid: `9.${rig.now()}.${++uid}`, study, series: `${study}.1`, ...said });
      await rig.indexAll();
      rig.tick(60_000);
      await here.work();
      const [found] = incoming.outcome === 'stored' ? await rig.store.studies(1) : [];
      if (!found) throw new Error(`the image was not stored: ${incoming.outcome}`);
      return found.study;
    },
    async withdraw(study: number, taken: boolean): Promise<void> {
      await rig.store.withdrawStudy(study, taken);
      // The writer marks it as due by the wall clock.
      rig.tick(Math.max(0, Date.now() - rig.now()));
      await here.work();
    },
    problems: async () =>
      (await rig.store.imageFigures(rig.now())).matchProblems.map(({ code, count }) => `${code} ${count}`),
    links: (study: number) => rig.store.linksOf(study),
    unmatched: async () => ({
      studies: await rig.store.unmatchedStudies(rig.now(), 50),
      reports: await rig.store.unmatchedReports(rig.now(), 50),
    }),
    /** As after kill -9: what was durable is there, in another folder, and nothing else. */
    async killed() {
      const after = quickFolder('matching');
      mkdirSync(join(after, 'data'), { mode: 0o700 });
      for (const name of ['data.key', 'data/qianzhi.db', 'data/qianzhi.db-wal', 'data/high-water']) {
        if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(after, name));
      }
      const again = await matchingRig(profile, after, ris);
      again.tick(rig.now() - again.now());
      return again;
    },
  };
  return here;
}
export type MatchingRig = Awaited<ReturnType<typeof matchingRig>>;
