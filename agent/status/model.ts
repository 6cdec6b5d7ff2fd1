import type { CertificateStatus } from '../delivery/platform.ts';
import type { SourceRhythm } from '../intake/rhythm/keeper.ts';
import type { SourceStatus } from '../intake/source.ts';
import type { MessageRow, PlatformFigures, ProblemGroup, StoreFigures } from '../store/contract.ts';
import type { StudyRow } from '../store/image-contract.ts';
import type { LinkState } from '../store/match-contract.ts';

/** ok 正常, attention 需关注, fault 故障, unknown 未知, paused 暂停. */
export type Level = 'ok' | 'attention' | 'fault' | 'unknown' | 'paused';

/** Whose side a problem is on: tells the reader whom to call. */
export type Side = 'hospital' | 'agent' | 'platform' | 'network';

export interface Problem {
  /** A code of agent/support/errors.ts; title, cause and fix come from there in both languages. */
  code: string;
  level: 'attention' | 'fault';
  side: Side;
  /** Configured name of the source or platform, or `agent`. */
  component: string;
  sinceMs: number;
  lastMs: number;
  count: number;
  /** Model path or element, when the code is about one; never a value. */
  where?: string;
  exampleSeq?: number;
  exampleStudy?: number;
}

export interface PlatformStatus extends PlatformFigures {
  kind: string;
  url: string;
  state: 'sending' | 'idle' | 'retrying' | 'stopped' | 'starting';
  lastError?: { code: string; atMs: number };
  nextTryMs?: number;
  clockOffsetMs?: number;
  certificates: CertificateStatus[];
  unverified: string[];
  /** What it takes; documents where nothing is said. */
  takes?: 'images';
}

/** A platform for images as its delivery tells of it; the figures come from the store. */
export type ImagePlatformState = Omit<PlatformStatus, Exclude<keyof PlatformFigures, 'platform'> | 'unverified'> & {
  lastSuccessMs?: number;
};

/** Where images come in. What is received counts once, what waits or is uploaded once for each platform. */
export interface ImageFacts {
  waiting: number;
  receivedToday: number;
  deliveredToday: number;
  /** Images that wait for a person. */
  held: number;
  /** Studies that wait for a person, once for each reason. */
  studies: number;
}

/** The one status model: page, API, command line, metrics and alerts all read this. No patient data. */
export interface StatusModel {
  atMs: number;
  startedMs: number;
  version: string;
  /** `language`: of the page, until somebody chooses another there. */
  site: { name: string; orgCode: string; timeZone: string; language?: 'zh' | 'en' };
  demo: boolean;
  verdict: { level: Level; sinceMs: number; code?: string };
  /** 院内系统 → 接收 → 转换/排队 → 平台. */
  stations: Array<{
    id: 'hospital' | 'intake' | 'queue' | 'platform';
    level: Level;
    /** Per minute over the last five minutes, of the edge that leaves the station; undefined if unknown. */
    perMinute?: number;
    lastMs?: number;
    /** Of messages and documents; for the hospital, of senders connected. */
    count: number;
    /** Of images, where they come in: other things than messages, so never added to them. */
    images?: number;
  }>;
  facts: {
    /** The figures that follow are of messages and their documents. */
    oldestMs?: number;
    waiting: number;
    receivedToday: number;
    deliveredToday: number;
    heldForPerson: number;
    freeBytes: number;
    diskDaysLeft?: number;
    images?: ImageFacts;
  };
  problems: Problem[];
  sources: SourceStatus[];
  /** When each source usually sends; none until that was read. */
  rhythms?: SourceRhythm[];
  platforms: PlatformStatus[];
  store: StoreFigures;
  /** Where images come in: files in the spool, and headers that were not read yet. */
  images?: { files: number; fileBytes: number; unindexed: number };
}

/** A study as people see it: no patient data, nothing that names the study elsewhere. */
export type ShownStudy = Omit<StudyRow, 'facts'> & {
  /** Defined terms only; `?` for others. */
  modalities: string[];
  /** Its headers contradict each other about the patient (DCM-2295). */
  contradicts: boolean;
};

/** Of one study also the reports it is linked with, or shares a number with and contradicts; by message. */
export type StudyWithReports = ShownStudy & { reports: Array<{ seq: number; state: LinkState }> };

export type { MessageRow, ProblemGroup };
