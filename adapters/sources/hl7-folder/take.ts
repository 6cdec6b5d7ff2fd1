import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { QianzhiError } from '../../../agent/support/errors.ts';
import type { IntakeRules } from '../../hl7v2/intake-rules.ts';
import type { Msh } from '../../hl7v2/msh.ts';
import { wordsOf } from '../hl7-mllp/verdict.ts';
import { type Identity, sameIdentity } from '../watching/identity.ts';
import type { SeenKey } from '../watching/key-table.ts';
import { type OpenFile, takeOpened } from '../watching/open-file.ts';
import { type BytePath, nameOf, pathIn, unsetAside } from '../watching/paths.ts';
import type { Taking } from '../watching/taking.ts';
import { type AcceptingParts, createAccepting } from './accepting.ts';
import { type AnswerFile, type AnswerParts, answerFile, type Said } from './answers.ts';
import { hl7FolderCodes } from './codes.ts';
import { type Content, contentOf, EndedEarly } from './content.ts';
import { shapeOf } from './file-shape.ts';
import { chained, chainStart, type Mark, type Progress } from './progress.ts';

export interface TakeParts extends AcceptingParts {
  /** Absolute: the watched folder. */
  root: string;
  /** The rules of the folder itself: by them a file is read. */
  rules: IntakeRules;
  openEnd: 'hold' | 'take';
  marker?: string | undefined;
  answers?: Omit<AnswerParts, 'rules'> | undefined;
  progress: Progress;
  /** The agent ends: a large file goes on after the next start. */
  stopping(): boolean;
  /** Resolves when what was decided about the files before is written down, if it can be. Never rejects. */
  remembered(): Promise<void>;
  /** Names the mark of a file; that it still begins with what was marked is seen by its content. */
  markKeyOf(path: BytePath): SeenKey;
}

/** How often a file is looked at that waits for its marker. */
const markerMs = 2000;
/**
 * Messages of a file between two marks: what four files that are taken and not yet remembered, and the one that is being
 * taken, may have to be recognised by the store after a crash.
 */
const markEvery = 2000;
/** A file of which more is refused has no mark behind that. */
const mostOpen = 10_000;

/** Where the marker of a file may lie: `X.hl7.ok`, `X.ok`. */
export function markersOf(path: BytePath, marker: string): BytePath[] {
  const name = nameOf(path);
  const bare = name.lastIndexOf('.') > 0 ? path.slice(0, path.lastIndexOf('.')) : undefined;
  return [`${path}${marker}`, ...(bare === undefined ? [] : [`${bare}${marker}`])];
}

/** Coarser than the time of any file system that is in use (FAT: 2 s). */
const coarseNs = 3_000_000_000n;

/** A marker that is older than the file is that of a file before it. */
async function hasMarker(root: string, path: BytePath, marker: string, { mtimeNs }: Identity): Promise<boolean> {
  const isItsOwn = (stats: BigIntStats): boolean =>
    stats.isFile() && [stats.mtimeNs, stats.ctimeNs].some((ns) => ns + coarseNs >= mtimeNs);
  for (const place of markersOf(path, marker)) {
    const isThere = await lstat(pathIn(root, place), { bigint: true }).then(isItsOwn, () => false);
    if (isThere) return true;
  }
  return false;
}

/**
 * Takes one file: sees that it is what the scan saw and whole, and hands its messages to the store in their order, each judged
 * by the rules of its sender as over MLLP. What is refused of it holds the file where it is, for the bytes are nowhere else; what is
 * durable stays so and is not read twice. Never rejects (invariant 11).
 */
export async function takeFile(
  parts: TakeParts,
  path: BytePath,
  expected: Identity,
  piece: Uint8Array,
): Promise<Taking> {
  // One that was set aside was whole before.
  const waitsForMarker = parts.marker !== undefined && path === unsetAside(path);
  if (waitsForMarker && !(await hasMarker(parts.root, path, parts.marker ?? '', expected)))
    return { kind: 'unreadable', code: 'HL7-2139', everyMs: markerMs };
  return takeOpened(pathIn(parts.root, path), expected, hl7FolderCodes, async (file) => {
    const shape = await shapeOf(file, parts.rules.require_end);
    if (shape.content === 'empty') return { kind: 'ignored', reason: 'empty' };
    if (shape.content === 'other') return { kind: 'ignored', reason: 'not-hl7' };
    if (shape.content === 'utf-16') return { kind: 'held', code: 'HL7-2133' };
    const mayBeCutOff = parts.openEnd === 'hold' && parts.marker === undefined;
    if (!shape.ended && mayBeCutOff) return { kind: 'incomplete', code: hl7FolderCodes.unfinished };
    const { framed } = shape;
    const { answers, rules } = parts;
    const answer = answers === undefined ? undefined : answerFile({ ...answers, rules }, unsetAside(path), framed);
    try {
      return await takeContent(parts, file, { key: parts.markKeyOf(path), framed, piece, answer });
    } catch (error) {
      if (error instanceof EndedEarly) return { kind: 'changed', identity: await file.identityNow() };
      // It waits by itself and the others go on, as long as there is room to remember how far each was taken.
      if (error instanceof AnswerFailure)
        return { kind: parts.progress.full() ? 'refused' : 'unreadable', code: 'HL7-2138' };
      throw error;
    } finally {
      await answer?.discard();
    }
  });
}

/** The answer could not be written: kept apart from what the intake rejects with. */
class AnswerFailure extends Error {}

async function writing(step: Promise<void> | undefined): Promise<void> {
  try {
    await step;
  } catch (cause) {
    throw new AnswerFailure('answer', { cause });
  }
}

const refusalOf = (code: 'HL7-2140' | 'HL7-2141', rules: IntakeRules): Said => ({
  msh: undefined,
  outcome: { code: 'AR', condition: 207, text: wordsOf(code) },
  rules,
});

interface Look {
  key: SeenKey;
  framed: boolean;
  piece: Uint8Array;
  answer: AnswerFile | undefined;
}

/**
 * The mark of a file as far as its content bears it out. Of a file to whose last message something was added all but that message
 * is known; of another file of the same name nothing is.
 */
async function borneOut(
  mark: Mark | undefined,
  contents: AsyncIterable<Content>,
  stopping: () => boolean,
): Promise<Mark | undefined> {
  if (mark === undefined || mark.handled === 0) return undefined;
  let [chain, before, handled] = [chainStart, chainStart, 0];
  reading: for await (const content of contents) {
    if (stopping()) throw new QianzhiError('QUE-4010');
    if (!('parts' in content)) continue;
    for (const part of content.parts) {
      [before, chain] = [chain, chained(chain, part)];
      handled += 1;
      if (handled === mark.handled) break reading;
    }
  }
  if (handled === mark.handled && chain === mark.chain) return mark;
  const least = mark.handled - 1;
  if (least === 0 || (handled === mark.handled ? before : chain) !== mark.before) return undefined;
  return { ...mark, handled: least, open: mark.open.filter((at) => at < least), chain: mark.before, before: '-' };
}

async function takeContent(parts: TakeParts, file: OpenFile, { key, framed, piece, answer }: Look): Promise<Taking> {
  const { progress, rules, maxMessageBytes } = parts;
  const { require_end: requireEnd, charset } = rules;
  const contents = () => contentOf(file, { framed, maxMessageBytes, requireEnd, charset, piece });
  const accepting = createAccepting(parts, await borneOut(progress.of(key), contents(), parts.stopping));
  const keep = async (whole: boolean) => {
    const mark = accepting.mark(whole);
    // What the store may have to recognise lies before this, and more is to come.
    await parts.remembered();
    if (mark.open.length > mostOpen) return;
    try {
      await progress.mark(key, mark);
    } catch {
      throw new QianzhiError(hl7FolderCodes.notRemembered);
    }
  };
  const wait = async () => {
    if (accepting.unmarked() >= markEvery) await keep(false);
    if (parts.stopping()) throw new QianzhiError('QUE-4010');
  };
  const take = (messages: Uint8Array[], headers: Array<Msh | undefined>, say: (said: Said) => Promise<void>) =>
    accepting.take(messages, headers, say, wait);
  const takeAll = async (): Promise<'HL7-2140' | 'HL7-2141' | Taking | undefined> => {
    let broken: 'HL7-2140' | 'HL7-2141' | undefined;
    for await (const content of contents()) {
      // Nothing is taken of a file that is written to while it is read.
      const now = await file.identityNow();
      if (!sameIdentity(now, file.identity)) return { kind: 'changed', identity: now };
      switch (content.kind) {
        case 'oversize':
        case 'broken-frames':
          broken = content.kind === 'oversize' ? 'HL7-2140' : 'HL7-2141';
          await writing(answer?.say(refusalOf(broken, rules), undefined));
          await writing(answer?.endOfPayload());
          break;
        case 'end':
          if (content.miscounted) parts.notes.problem('HL7-2107');
          await writing(answer?.endOfPayload());
          break;
        case 'frames':
          await take(content.parts, [], async (said) => {
            await writing(answer?.say(said, undefined));
            await writing(answer?.endOfPayload());
          });
          break;
        case 'parts':
          await take(content.parts, content.headers, (said) => writing(answer?.say(said, content.envelope)));
      }
    }
    await writing(answer?.finish());
    return broken;
  };
  let ended: Awaited<ReturnType<typeof takeAll>>;
  try {
    ended = await takeAll();
  } catch (error) {
    // Whatever failed: what is durable is not given to the store again, which recognises no more than the last ones.
    if (accepting.unmarked() > 0) await keep(false);
    throw error;
  }
  if (typeof ended === 'object') {
    if (accepting.unmarked() > 0) await keep(false);
    return ended;
  }
  const { durable, fresh } = accepting.counts();
  const refusal = ended ?? accepting.refusal();
  // Under other rules it is read again; one that was large may be written on where it lies.
  if ((refusal !== undefined && durable > 0) || durable >= markEvery) await keep(true);
  else progress.done(key);
  if (refusal !== undefined) return { kind: 'held', code: refusal };
  if (durable === 0) return { kind: 'ignored', reason: 'acknowledgements' };
  return { kind: 'taken', outcome: fresh > 0 ? 'stored' : 'duplicate' };
}
