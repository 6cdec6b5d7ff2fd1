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
import { contentOf, EndedEarly } from './content.ts';
import { shapeOf } from './file-shape.ts';
import type { Progress } from './progress.ts';

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
  keyOf(path: BytePath, identity: Identity): SeenKey;
}

/** How often a file is looked at that waits for its marker. */
const markerMs = 2000;
/**
 * Messages of a file between two marks: what four files that are taken and not yet remembered, and the one that is being
 * taken, may have to be recognised by the store after a crash.
 */
const markEvery = 2000;

/** Where the marker of a file may lie: `X.hl7.ok`, `X.ok`. */
export function markersOf(path: BytePath, marker: string): BytePath[] {
  const name = nameOf(path);
  const bare = name.lastIndexOf('.') > 0 ? path.slice(0, path.lastIndexOf('.')) : undefined;
  return [`${path}${marker}`, ...(bare === undefined ? [] : [`${bare}${marker}`])];
}

async function hasMarker(root: string, path: BytePath, marker: string): Promise<boolean> {
  for (const place of markersOf(path, marker)) {
    const isThere = await lstat(pathIn(root, place)).then(
      (stats) => stats.isFile(),
      () => false,
    );
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
  if (waitsForMarker && !(await hasMarker(parts.root, path, parts.marker ?? '')))
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
      return await takeContent(parts, file, { key: parts.keyOf(path, file.identity), framed, piece, answer });
    } catch (error) {
      if (error instanceof EndedEarly) return { kind: 'changed', identity: await file.identityNow() };
      if (error instanceof AnswerFailure) return { kind: 'unreadable', code: 'HL7-2138' };
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

async function takeContent(parts: TakeParts, file: OpenFile, { key, framed, piece, answer }: Look): Promise<Taking> {
  const { progress, rules, maxMessageBytes } = parts;
  const accepting = createAccepting(parts, progress.of(key));
  let marked = progress.of(key);
  const keep = async (handled: number) => {
    try {
      await progress.mark(key, handled);
    } catch {
      throw new QianzhiError(hl7FolderCodes.notRemembered);
    }
    marked = handled;
  };
  const mark = async (handled: number) => {
    if (handled >= marked + markEvery) await keep(handled);
    if (parts.stopping()) throw new QianzhiError('QUE-4010');
  };
  const take = async (messages: Uint8Array[], batch: Msh | undefined, say: (said: Said) => Promise<void>) => {
    try {
      await accepting.take(messages, batch, say, mark);
    } catch (error) {
      if (accepting.handled() > marked) await keep(accepting.handled());
      throw error;
    }
  };
  let broken: 'HL7-2140' | 'HL7-2141' | undefined;
  const contents = contentOf(file, {
    framed,
    maxMessageBytes,
    requireEnd: rules.require_end,
    charset: rules.charset,
    piece,
  });
  for await (const content of contents) {
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
        await take(content.parts, undefined, async (said) => {
          await writing(answer?.say(said, undefined));
          await writing(answer?.endOfPayload());
        });
        break;
      case 'parts':
        await take(content.parts, content.envelope?.header, (said) => writing(answer?.say(said, content.envelope)));
    }
  }
  await writing(answer?.finish());
  progress.done(key);
  const refusal = broken ?? accepting.refusal();
  if (refusal !== undefined) return { kind: 'held', code: refusal };
  const { durable, fresh } = accepting.counts();
  if (durable === 0) return { kind: 'ignored', reason: 'acknowledgements' };
  return { kind: 'taken', outcome: fresh > 0 ? 'stored' : 'duplicate' };
}
