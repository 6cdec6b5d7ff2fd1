import type { ShownStudy, StudyWithReports } from '../status/model.ts';
import type { ImageStore, InstanceRow, Resent, StudyRow, StudySearch, StudyTaken } from '../store/image-contract.ts';
import type { Contradiction, MatchPageStore, UnmatchedReport, UnmatchedStudy } from '../store/match-contract.ts';
import type { Clock } from '../support/clock.ts';
import { QianzhiError } from '../support/errors.ts';
import type { Log } from '../support/log.ts';
import { phi } from '../support/phi.ts';
import { shownModalities } from './modalities.ts';

/** Longest thing that can be looked for; values in headers are shorter (LO 64, UI 64). */
const LONGEST_TERM = 256;
const MOST_UNMATCHED = 50;

/**
 * What a person can ask about studies and have done with them, for the page and the command line. Answers hold no patient
 * data and nothing that names a study elsewhere; search terms are patient data, go to the store and nowhere else.
 */
export interface StudyDesk {
  /** Newest first, before `before` when given. */
  list(limit: number, before?: number): Promise<ShownStudy[]>;
  /** Those that the term names exactly; at most 50. Rejects with DCM-2286. */
  find(by: StudySearch, term: string, limit: number, before?: number): Promise<ShownStudy[]>;
  /** Rejects with DCM-2281. */
  show(study: number): Promise<StudyWithReports>;
  /** Studies and reports that have not found each other, and pairs that contradict: the newest 50 of each. */
  unmatched(): Promise<Unmatched>;
  /** In order of arrival, after `after`; study 0 has those that could not be read. */
  instances(study: number, limit: number, after?: number): Promise<InstanceRow[]>;
  /** Rejects with DCM-2281, DCM-2282, DCM-2283. */
  resend(what: { study: number } | { n: number }, platform?: string): Promise<Resent>;
  /** Whether that changed anything. Rejects with DCM-2281. */
  withdraw(study: number): Promise<{ changed: boolean }>;
  /** And what of it has to come again from the PACS. Rejects with DCM-2281. */
  restore(study: number): Promise<StudyTaken>;
  /** A person says that the platform has deleted what it had. Rejects with DCM-2281, DCM-2283, DCM-2284. */
  deleted(study: number, platform: string): Promise<{ images: number }>;
  /** Gives up what was to go to a platform that is not configured any more. Rejects with DCM-2285. */
  forgetPlatform(platform: string): Promise<{ images: number }>;
}

/** By their own numbers: studies, and messages of reports. A suggestion is for a person to look at, never a link. */
export interface Unmatched {
  studies: UnmatchedStudy[];
  reports: UnmatchedReport[];
  contradictions: Contradiction[];
}

export interface StudyDeskParts {
  store: Pick<
    ImageStore,
    | 'studies'
    | 'findStudies'
    | 'studyNumbered'
    | 'instancesOf'
    | 'resendInstances'
    | 'withdrawStudy'
    | 'imagesDeleted'
    | 'forgetPlatform'
  > &
    MatchPageStore;
  clock: Pick<Clock, 'now'>;
  /** Configured platforms for images. */
  platforms: readonly string[];
  /** There is something to read, to issue or to send. */
  wake(): void;
  log: Pick<Log, 'info'>;
}

/** A study without what it says of the patient. */
export function shownStudy({ facts, ...row }: StudyRow): ShownStudy {
  const said = facts?.reveal();
  return {
    ...row,
    modalities: shownModalities(said?.modalities ?? []),
    contradicts: said !== undefined && said.contradicts.length > 0,
  };
}

export function openStudyDesk({ store, platforms, wake, clock, log }: StudyDeskParts): StudyDesk {
  async function rowOf(study: number): Promise<StudyRow> {
    const row = await store.studyNumbered(study);
    if (!row) throw new QianzhiError('DCM-2281');
    return row;
  }
  async function setWithdrawn(study: number, withdrawn: boolean): Promise<StudyTaken> {
    await rowOf(study);
    const taken = await store.withdrawStudy(study, withdrawn);
    if (taken.changed) {
      log.info(withdrawn ? 'study-withdrawn' : 'study-restored', { n: study });
      wake();
    }
    return taken;
  }
  return {
    list: async (limit, before) => (await store.studies(limit, before)).map(shownStudy),
    async find(by, term, limit, before) {
      const wanted = term.trim();
      if (wanted === '' || wanted.length > LONGEST_TERM) throw new QianzhiError('DCM-2286');
      return (await store.findStudies(by, phi(wanted), limit, before)).map(shownStudy);
    },
    async show(study) {
      const row = await rowOf(study);
      return { ...shownStudy(row), reports: await store.linksOf(study) };
    },
    async unmatched() {
      const now = clock.now();
      const [studies, reports, contradictions] = await Promise.all([
        store.unmatchedStudies(now, MOST_UNMATCHED),
        store.unmatchedReports(now, MOST_UNMATCHED),
        store.contradictions(MOST_UNMATCHED),
      ]);
      return { studies, reports, contradictions };
    },
    instances: (study, limit, after) => store.instancesOf(study, limit, after),
    async resend(what, platform) {
      if (platform !== undefined && !platforms.includes(platform)) throw new QianzhiError('DCM-2283');
      if ('study' in what && what.study !== 0) await rowOf(what.study);
      const told = await store.resendInstances(what, platform);
      // One that is there is sent again or stays, at each platform.
      const known = told.resent > 0 || told.rest.length > 0 || platforms.length === 0;
      if ('n' in what && !known) throw new QianzhiError('DCM-2282');
      if (told.resent > 0) {
        const n = 'n' in what ? what.n : what.study;
        log.info('n' in what ? 'image-resent' : 'study-resent', { n, count: told.resent });
        wake();
      }
      return told;
    },
    async withdraw(study) {
      const { changed } = await setWithdrawn(study, true);
      return { changed };
    },
    restore: (study) => setWithdrawn(study, false),
    async deleted(study, platform) {
      const row = await rowOf(study);
      if (!platforms.includes(platform) && row.states.every((s) => s.platform !== platform)) {
        throw new QianzhiError('DCM-2283');
      }
      if (!row.withdrawn) throw new QianzhiError('DCM-2284');
      const images = await store.imagesDeleted(study, platform);
      log.info('study-deleted-there', { n: study, platform, count: images });
      return { images };
    },
    async forgetPlatform(platform) {
      if (platforms.includes(platform)) throw new QianzhiError('DCM-2285');
      const images = await store.forgetPlatform(platform);
      // The name came from a person and may be anything: only the number is told.
      log.info('platform-given-up', { count: images });
      return { images };
    },
  };
}
