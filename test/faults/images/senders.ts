import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dcmtk } from '../../adapters/sources/dicom-scp/dcmtk.ts';
import { type InventedImage, inventedImage } from './invented-image.ts';

/** What all senders were told, or left behind. */
export interface Sent {
  /** UID → hash of the dataset, of each image that was answered with success. */
  acknowledged: Map<string, string>;
  /** The same of files that were dropped, with the hash of the whole file. */
  dropped: Map<string, { dataset: string; file: string }>;
  studies: Set<string>;
  /** Images that were sent again because they were not answered for. */
  repeated: number;
  bytes: number;
}

export interface Sender {
  /** No new images; resolves when what it has was answered for. */
  finish(): Promise<void>;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Most images are of half a megabyte, some smaller, few of 20 MB. */
function sizeOf(random: () => number): number {
  const kind = random();
  if (kind < 0.03) return 20_000_000;
  if (kind < 0.15) return 1_000_000 + Math.floor(random() * 1_000_000);
  return 2_000 + Math.floor(random() * 600_000);
}

interface Making {
  name: string;
  folder: string;
  random: () => number;
  sent: Sent;
}

/** Invented images one after the other, some ten a study. */
function maker({ name, random, sent }: Making): () => InventedImage {
  let made = 0;
  return () => {
    made += 1;
    const study = `${name}.${Math.ceil(made / 12)}`;
    sent.studies.add(study);
    const image = inventedImage({ name: `${name}-${made}`, study, bytes: sizeOf(random) });
    sent.bytes += image.file.length;
    return image;
  };
}

/**
 * A device that sends with Debian's storescu or dcmsend, some images an association, and sends again what it was not
 * answered for, as devices do.
 */
export function startDevice(making: Making & { program: 'storescu' | 'dcmsend'; port: number; title: string }): Sender {
  const { program, port, title, folder, random, sent } = making;
  const next = maker(making);
  mkdirSync(folder, { recursive: true });
  let stopping = false;
  const waiting: Array<{ file: string; uid: string; dataset: string }> = [];
  const work = async () => {
    while (!stopping || waiting.length > 0) {
      sent.repeated += waiting.length;
      // What was not answered for goes first, and alone.
      for (let count = waiting.length > 0 ? 0 : 1 + Math.floor(random() * 6); count > 0 && !stopping; count--) {
        const image = next();
        const file = join(folder, image.uid);
        writeFileSync(file, image.file);
        waiting.push({ file, uid: image.uid, dataset: sha256(image.dataset) });
      }
      if (waiting.length === 0) break;
      const batch = [...waiting];
      const files = batch.map(({ file }) => file);
      const { output } = await dcmtk(
        program,
        '-v',
        '-aec',
        title,
        '-aet',
        'DEVICE',
        '127.0.0.1',
        String(port),
        ...files,
      );
      // Both send in the order of their arguments and end at the first failure.
      const answered = output.match(/Received (C-STORE|Store) Response \(Success\)/g)?.length ?? 0;
      for (const { file, uid, dataset } of batch.slice(0, answered)) {
        sent.acknowledged.set(uid, dataset);
        rmSync(file);
      }
      waiting.splice(0, answered);
      await sleep(answered === 0 ? 200 : random() * 150);
    }
  };
  const working = work();
  return {
    finish() {
      stopping = true;
      return working;
    },
  };
}

/** A device that writes into a watched folder: some files directly, some under another name first. */
export function startDropper(making: Making & { pauseMs: number }): Sender {
  const { folder, random, sent, pauseMs } = making;
  const next = maker(making);
  let stopping = false;
  const work = async () => {
    while (!stopping) {
      const image = next();
      const file = join(folder, image.uid);
      const direct = random() < 0.5;
      writeFileSync(direct ? file : `${file}.tmp`, image.file);
      if (!direct) renameSync(`${file}.tmp`, file);
      sent.dropped.set(image.uid, { dataset: sha256(image.dataset), file: sha256(image.file) });
      await sleep(random() * 2 * pauseMs);
    }
  };
  const working = work();
  return {
    finish() {
      stopping = true;
      return working;
    },
  };
}
