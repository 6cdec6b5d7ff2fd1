import { bare } from '../../support/bare.ts';
import { phi } from '../../support/phi.ts';
import type { Asker } from '../../support/thread.ts';
import type { ImageStore } from '../image-contract.ts';
import { imageFigures, type PlainInstanceRow, type PlainStudyRow, studyRow } from './image-page.ts';
import type { ReadRequest } from './reader.ts';
import type { WriteRequest, WriteResults } from './requests.ts';

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
    resendInstances: (what, platform) => ask({ op: 'resend-instances', what, platform }),
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
    async instancesOf(study, limit, after) {
      return (await read.ask({ op: 'instances', study, limit, after })) as PlainInstanceRow[];
    },
  };
}
