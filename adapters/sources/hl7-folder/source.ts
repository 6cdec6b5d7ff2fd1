import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { FileSourceContext, RunningSource, SourceAdapter, SourceStatus } from '../../../agent/intake/source.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { createAckIds } from '../../hl7v2/ack.ts';
import { placeIn } from '../watching/paths.ts';
import { realPath } from '../watching/real-path.ts';
import { openSeen } from '../watching/seen.ts';
import { asSender } from '../watching/status.ts';
import type { FolderFigures } from '../watching/tally.ts';
import { openTurns } from '../watching/turns.ts';
import { watchFolder } from '../watching/watch.ts';
import { hl7FolderCodes } from './codes.ts';
import { type Hl7FolderConfig, hl7FolderConfig } from './config.ts';
import { type After, createHl7Folder } from './folder.ts';
import { createJudge, rulesOf } from './judge.ts';
import { createMessageTally } from './message-tally.ts';
import { openProgress } from './progress.ts';

export interface Hl7FolderStatus extends SourceStatus {
  folder: FolderFigures;
}

export interface RunningHl7Folder extends RunningSource {
  status(): Hl7FolderStatus;
}

async function afterOf(context: FileSourceContext, config: Hl7FolderConfig, root: string): Promise<After> {
  if (config.after !== 'move') return { kind: config.after };
  const where = `sources.${context.name}.archive`;
  if (config.archive === undefined) throw new QianzhiError(hl7FolderCodes.archive, where);
  const folder = await realPath(config.archive.folder);
  if (placeIn(folder, root) !== undefined) throw new QianzhiError(hl7FolderCodes.archive, where);
  if (config.archive.plain !== undefined) return { kind: 'move', folder };
  return { kind: 'seal', folder, source: context.name, key: context.archiveKey() };
}

/**
 * A watched folder of HL7 files, for systems that speak no MLLP. A file is moved or deleted only after all its messages are
 * durable. Starting rejects with HL7-2135 when the archive is missing or contains the folder, with QUE-4004 when there is no key
 * to seal it with, and with nothing else: a folder that is not there makes the source `failed` until it is (HL7-2130).
 */
export const hl7Folder = {
  kind: 'hl7-folder',
  config: hl7FolderConfig,
  warnings: ({ archive }: Hl7FolderConfig) =>
    archive?.plain === undefined ? [] : [{ code: 'CFG-5020', path: ['archive', 'plain'] }],
  async start(context: FileSourceContext, config: Hl7FolderConfig): Promise<RunningHl7Folder> {
    const { clock, log, name, changed } = context;
    const root = await realPath(config.folder);
    const after = await afterOf(context, config, root);
    // The name of a source or folder may say more than a file name should.
    const memory = join(context.dataFolder, 'hl7-folder', hash('sha256', `${name}\n${config.folder}`).slice(0, 24));
    const rules = rulesOf(context.profile);
    const { senders, unlisted } = config;
    const ofSenders = senders.map((entry, n) => [entry, context.senders[n] && rulesOf(context.senders[n].profile)]);
    const { open_end, marker, max_message_bytes } = config;
    const judged = JSON.stringify([rules, ofSenders, unlisted, open_end, marker, max_message_bytes]);
    const judgedBy = hash('sha256', judged).slice(0, 16);
    const messages = createMessageTally(
      clock,
      senders.map(({ name: of }) => of),
    );
    const answers = config.answers;
    const seen = await openSeen(`${memory}.seen`, undefined, true);
    const folder = createHl7Folder({
      root,
      after,
      include: config.include,
      judgedBy,
      minAgeMs: config.min_age_seconds * 1000,
      giveUpMs: config.give_up_minutes * 60_000,
      maxMessageBytes: max_message_bytes,
      openEnd: open_end,
      marker,
      answers: answers && {
        folder: await realPath(answers.folder),
        suffix: answers.suffix,
        ackId: createAckIds(clock),
        now: clock.now,
      },
      rules,
      judge: createJudge(rules, senders, unlisted, context.senders),
      accept: context.accept,
      notes: messages,
      seen,
      turns: await openTurns(`${memory}.turns`, seen),
      progress: await openProgress(`${memory}.progress`),
      clock,
      changed: () => watching.note(),
    });
    const watching = watchFolder({
      kind: 'hl7-folder',
      name,
      clock,
      log,
      changed,
      root,
      archive: 'folder' in after ? after.folder : undefined,
      scanIntervalMs: config.scan_interval_seconds * 1000,
      hints: config.watch,
      lost: hl7FolderCodes.lost,
      folder,
    });
    return {
      status() {
        const figures = folder.figures();
        return {
          name,
          kind: 'hl7-folder',
          ...watching.state(),
          ...messages.onto(asSender(figures, watching.passedMs(), hl7FolderCodes)),
          refusedConnections: 0,
          folder: figures,
        };
      },
      stop: watching.stop,
    };
  },
} satisfies SourceAdapter<typeof hl7FolderConfig, FileSourceContext>;
