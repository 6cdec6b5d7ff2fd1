import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the socket in the data folder. */
const SOCKET = 'control.sock';
/** On Windows the file in the data folder that holds the pipe's random name: who may read it may ask. */
export const PIPE_FILE = 'control.pipe';
/** sun_path holds 108 bytes on Linux, 104 elsewhere, and Node cuts a longer one off without a word. */
const LONGEST_PATH = 100;

/** An address to listen at or to connect to; `release` when that is over. */
export interface Place {
  address: string;
  /** The file of the socket itself. */
  file: string;
  release(): void;
}

/**
 * Where the socket of a data folder lies. A path too long for an address is reached through the open folder, which Linux
 * shows at a short one; a folder elsewhere (/tmp) would not do: services have one of their own, and cleaners empty it.
 * Throws what opening the folder threw.
 */
export function socketPlace(dataFolder: string): Place {
  const file = join(dataFolder, SOCKET);
  if (Buffer.byteLength(file) <= LONGEST_PATH) return { address: file, file, release() {} };
  const folder = openSync(dataFolder, 'r');
  return { address: `/proc/self/fd/${folder}/${SOCKET}`, file, release: () => closeSync(folder) };
}
