import type { Readable } from 'node:stream';

/** Longest line that is read. */
const LONGEST = 4_096;

/**
 * The first line of standard input. On a terminal the question is written first (to stderr: stdout is for data); from a pipe
 * or a file it is read without a word.
 */
export async function firstLine(
  input: Readable & { isTTY?: boolean },
  talk: (text: string) => void,
  question: string,
): Promise<string> {
  if (input.isTTY) talk(question);
  let said = '';
  input.setEncoding('utf8');
  for await (const piece of input as AsyncIterable<string>) {
    said += piece;
    if (said.includes('\n') || said.length > LONGEST) break;
  }
  return (said.split('\n')[0] ?? '').trim();
}
