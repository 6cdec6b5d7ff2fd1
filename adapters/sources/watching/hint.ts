import { type FSWatcher, watch } from 'chokidar';
import type { Clock } from '../../../agent/support/clock.ts';

/** The system's notices that something in the folder changed. They make a scan happen sooner and decide nothing. */
export interface Hint {
  /** Call after each full pass with the number of entries in the folder: opens or closes the watcher as fits. */
  passed(entries: number): void;
  /** The folder cannot be read: a watcher on it would not come back with it. */
  failed(): void;
  close(): Promise<void>;
}

/** A watcher asks about every entry when it opens and keeps each in memory. In a large folder the scan is cheaper. */
const mostEntries = 5000;
/** More notices than this between two full passes are a burst: listing costs less than hearing of every file. */
const burst = 200;
const calmMs = 60_000;

/**
 * Watches with chokidar, the archive excepted. Measured (reference/dicom.md §4.1, and again here): in bursts it loses files and takes more
 * time than listing the folder, so a burst closes it and it opens again in calm. Whatever it rejects with, or that it
 * is silent as on network shares, is no error.
 */
export function createHint(root: string, archive: string | undefined, clock: Clock, changed: () => void): Hint {
  let watcher: FSWatcher | undefined;
  let closing: Promise<void> = Promise.resolve();
  let closed = false;
  let notices = 0;
  let openFromMs = Number.NEGATIVE_INFINITY;

  const shut = () => {
    openFromMs = clock.monotonic() + calmMs;
    const open = watcher;
    watcher = undefined;
    if (open !== undefined) closing = open.close().catch(() => {});
  };
  const notice = () => {
    if (watcher === undefined) return;
    notices += 1;
    if (notices > burst) shut();
    changed();
  };

  return {
    passed(entries) {
      notices = 0;
      if (closed) return;
      if (entries > mostEntries) return shut();
      if (watcher !== undefined || clock.monotonic() < openFromMs) return;
      try {
        watcher = watch(root, {
          ...(archive === undefined ? {} : { ignored: { path: archive, recursive: true } }),
          ignoreInitial: true,
          followSymlinks: false,
          atomic: false,
          ignorePermissionErrors: true,
        });
        watcher.on('all', notice);
        // Comes before chokidar has worked on it, so that a burst is noticed before it costs anything.
        watcher.on('raw', notice);
        watcher.on('error', shut);
      } catch {
        shut();
      }
    },
    failed: shut,
    async close() {
      closed = true;
      shut();
      await closing;
    },
  };
}
