import type { WriteStream } from 'node:tty';

export interface Progress {
  /** The one progress line. On a terminal it is rewritten; elsewhere a line at most every few seconds. */
  show(line: string): void;
  /** A line that stays. */
  say(line: string): void;
}

const everyMs = 5_000;

/** One calm line on a terminal, few lines in a file. */
export function showProgress(out: NodeJS.WriteStream | WriteStream): Progress {
  const terminal = out.isTTY === true;
  let current = '';
  let written = '';
  let writtenMs = Number.NEGATIVE_INFINITY;
  return {
    show(line) {
      if (line === current) return;
      current = line;
      if (terminal) {
        // A terminal may say 0 columns. A line longer than the window would wrap and could not be rewritten. Chinese takes two columns.
        const columns = out.columns || 80;
        let width = 0;
        const fitting = [...line].filter((character) => {
          width += character.codePointAt(0)! > 0x2e7f ? 2 : 1;
          return width < columns;
        });
        out.write(`\r\u001b[K${fitting.join('')}`);
      } else if (performance.now() - writtenMs >= everyMs && line !== written) {
        out.write(`${line}\n`);
        written = line;
        writtenMs = performance.now();
      }
    },
    say(line) {
      out.write(terminal && current !== '' ? `\r\u001b[K${line}\n` : `${line}\n`);
      current = '';
    },
  };
}
