import { bare } from '../../../support/bare.ts';
import { phi } from '../../../support/phi.ts';
import type { Asker } from '../../../support/thread.ts';
import type { ImageStore, Resent } from '../../image-contract.ts';
import type { ReadRequest } from '../reader.ts';
import type { WriteRequest, WriteResults } from '../requests.ts';
import { imageFigures, type PlainInstanceRow, type PlainStudyRow, studyRow } from './image-page.ts';

/** The store's part for images as the main thread sees it: questions to the writer and to the reader. */
export function imageStoreThrough(write: Asker<WriteRequest>, read: Asker<ReadRequest>): ImageStore {
  const ask = async <Op extends WriteRequest['op']>(request: WriteRequest & { op: Op }): Promise<WriteResults[Op]> =>
    (await write.ask(request)) as WriteResults[Op];
  return {
    acceptInstance: (instance) => ask({ op: 'accept-instance', instance: bare(instance) }),

    async claimInstances(platform, limits) {
      const claimed = await ask({ op: 'claim-instances', platform, limits });
      return claimed.map((c) => ({ ...c, studyUid: phi(c.studyUid), sopInstanceUid: phi(c.sopInstanceUid) }));
    },
    async settleInstances(platform, verdicts, nowMs) {
      await ask({ op: 'settle-instances', platform, verdicts, nowMs });
    },
    withdrawnInstances: (numbers) => ask({ op: 'withdrawn-instances', numbers }),
    nextInstanceDueMs: (platform, nowMs, urgentOnly = false) =>
      ask({ op: 'next-instance-due', platform, nowMs, urgentOnly }),
    async studiesToVerify(platform, max) {
      const studies = await ask({ op: 'studies-to-verify', platform, max });
      return studies.map((s) => ({ ...s, studyUid: phi(s.studyUid) }));
    },
    async studyCounted(platform, study, delivered, counted) {
      await ask({ op: 'study-counted', platform, study, delivered, counted });
    },

    withdrawStudy: (study, withdrawn) => ask({ op: 'withdraw-study', study, withdrawn }),
    imagesDeleted: (study, platform) => ask({ op: 'images-deleted', study, platform }),
    async resendInstances(what, platform) {
      const told: Resent = { resent: 0, rest: [] };
      for (let after: number | undefined = 0; after !== undefined; ) {
        const step: WriteResults['resend-instances'] = await ask({ op: 'resend-instances', what, platform, after });
        told.resent += step.resent;
        for (const row of step.rest) {
          const same = told.rest.find(({ platform, why }) => platform === row.platform && why === row.why);
          if (same) same.count += row.count;
          else told.rest.push(row);
        }
        after = step.next;
      }
      return told;
    },
    async forgetPlatform(platform) {
      let sum = 0;
      for (let after: number | undefined = 0; after !== undefined; ) {
        const step: WriteResults['forget-platform'] = await ask({ op: 'forget-platform', platform, after });
        sum += step.given;
        after = step.next;
      }
      return sum;
    },
    forgetDelivered: (beforeMs, max) => ask({ op: 'forget-delivered', beforeMs, max }),
    spoolNames: (prefix) => ask({ op: 'spool-names', prefix }),
    async filesLost(names) {
      await ask({ op: 'files-lost', names });
    },

    imageFigures: async (nowMs) => imageFigures(await read.ask({ op: 'image-figures', nowMs })),
    async studies(limit, before) {
      return ((await read.ask({ op: 'studies', limit, before })) as PlainStudyRow[]).map(studyRow);
    },
    async studyByUid(studyUid) {
      const found = (await read.ask({ op: 'study', uid: studyUid.reveal() })) as PlainStudyRow | undefined;
      return found && studyRow(found);
    },
    async studyNumbered(study) {
      const found = (await read.ask({ op: 'study-numbered', study })) as PlainStudyRow | undefined;
      return found && studyRow(found);
    },
    async findStudies(by, term, limit, before) {
      const found = await read.ask({ op: 'find-studies', by, term: term.reveal(), limit, before });
      return (found as PlainStudyRow[]).map(studyRow);
    },
    async instancesOf(study, limit, after) {
      return (await read.ask({ op: 'instances', study, limit, after })) as PlainInstanceRow[];
    },
  };
}
