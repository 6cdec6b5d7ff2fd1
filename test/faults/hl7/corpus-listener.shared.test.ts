import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { frame } from '../../../adapters/hl7v2/framing.ts';
import { connectSender, oru, startListener, until } from '../../adapters/sources/hl7-mllp/listener.ts';

const corpus = new URL('../../../../shared/corpus/hl7/', import.meta.url);
const skip = existsSync(corpus) ? false : 'the corpus (../shared/corpus) is not here';
t.setTimeout(600_000);

interface CorpusFile {
  file: string;
  quirks: string[];
  type: string | null;
  messages: number;
}

/** Files whose first bytes are no header that can be read, by the end of their names. */
const unreadable = [
  'hapi-hl7overhttp_src_site_xdoc_doc_non_hapi.xml.vm.000.hl7',
  'tests_harmonization_test_harmonization.py.007.hl7',
  'UnitTests_Filters_GeneralFiltersTests.cs.001.hl7',
];
/** Of its thirteen messages one is an answer itself. */
const withAnswerInside = 'parser_example_oml_o21.hl7';
/** Two acknowledgements, and nothing to take. */
const twoAcknowledgements = '0012-hl7-ack-endpoint.md.000.hl7';

interface Outcome {
  stored: number;
  answers: string;
}

/** A type that the default profile reads: of what it filters nobody needs the whole. */
const isRead = (type: string | null): boolean => /^(ORU|OUL|ADT|ORM|OML|OMG|RDE|MDM)\^/.test(type ?? '');

/** MSH-14 is filled, or DSC is the last segment. */
function isPart(text: string): boolean {
  const segments = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const header = segments[0]?.trim() ?? '';
  return (header.split(header[3] ?? '|')[13] ?? '') !== '' || segments.at(-1)?.trim().startsWith('DSC') === true;
}

/** What a file deserves of a listener with the default profile, from what the index of the corpus says of it. */
function deserved({ file, type, messages, quirks }: CorpusFile, text: string): Outcome {
  const answered = (count: number, code = 'AA') => Array.from({ length: count }, () => code).join(' ');
  if (unreadable.some((name) => file.endsWith(name))) return { stored: 0, answers: 'AE 100' };
  if (file.endsWith(twoAcknowledgements)) return { stored: 0, answers: '' };
  if (file.endsWith(withAnswerInside)) return { stored: messages, answers: answered(messages - 1) };
  if (type?.startsWith('ACK') === true && messages === 1) return { stored: 0, answers: '' };
  // The answer to a question: kept, and not answered.
  if (/^[\s\xef\xbb\xbf]*MSH[^\r\n]*[\r\n]+\s*MSA/.test(text)) return { stored: 1, answers: '' };
  if (quirks.includes('continuation DSC/MSH-14') && isPart(text) && isRead(type))
    return { stored: 0, answers: answered(messages, 'AE 207') };
  return { stored: messages, answers: answered(messages) };
}

/** The answers in what came back, as codes with the condition of a refusal: `AA`, `AE 207`. Whatever delimiters they are in. */
function answersIn(received: string): string[] {
  return received.split('\x1c\r').flatMap((answer) =>
    [...answer.matchAll(/\rMSA([^A-Za-z0-9])(A[AER]|C[AER])(?=\1|\r)([^\r]*)(?:\rERR([^\r]*))?/g)].map((match) => {
      const condition = /\b(1\d\d|2\d\d)\b/.exec(match[4] ?? match[3] ?? '')?.[1];
      return match[2] === 'AA' || condition === undefined ? (match[2] ?? '') : `${match[2]} ${condition}`;
    }),
  );
}

/** `AA`, `AE 207`, `no answer`; of several messages the kinds of answers. */
function outcomeOf(stored: number, answers: readonly string[]): string {
  const kinds = [...new Set(answers)].join(' and ') || 'no answer';
  return stored > 0 && answers.length === 0 ? 'stored, no answer' : answers.length > 1 ? `${kinds} for each` : kinds;
}

t.test(
  'every file of the corpus, sent to a listener, is taken, refused or passed over as it deserves',
  { skip },
  async (t) => {
    const files = JSON.parse(readFileSync(new URL('index.json', corpus), 'utf8')) as CorpusFile[];
    const profile = readFileSync(new URL('../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8');
    // Each message of a file is to be seen answered.
    const each = profile.replace('  ack: original-always\n', '  ack: original-always\n  several_messages: each\n');
    const listener = await startListener(t, { profile: each });
    const byQuirk = new Map<string, Map<string, number>>();
    const wrong: string[] = [];
    for (const [n, one] of files.entries()) {
      const payload = readFileSync(new URL(one.file.split('/').map(encodeURIComponent).join('/'), corpus));
      const before = listener.stored.length;
      const sender = await connectSender(t, listener.port);
      // The message behind it is answered when the file has been dealt with, and tells that the connection still works.
      sender.send(frame(payload), frame(Buffer.from(oru(`LAST${n}`))));
      await until(() => sender.received().includes(`MSA|AA|LAST${n}`) || sender.socket.destroyed);
      const answers = answersIn(sender.received()).slice(0, -1);
      sender.socket.destroy();
      const stored = listener.stored.length - before - 1;
      const outcome = { stored, answers: answers.join(' ') };
      const expected = deserved(one, payload.toString('latin1'));
      if (stored !== expected.stored || outcome.answers !== expected.answers)
        wrong.push(`${one.file}: ${JSON.stringify({ outcome, expected })}`);
      const shown = outcomeOf(stored, answers);
      for (const quirk of ['(all files)', ...one.quirks]) {
        const counts = byQuirk.get(quirk) ?? new Map<string, number>();
        counts.set(shown, (counts.get(shown) ?? 0) + 1);
        byQuirk.set(quirk, counts);
      }
    }
    t.same(wrong, []);
    for (const [quirk, counts] of byQuirk)
      t.comment(`${quirk}: ${[...counts].map(([shown, count]) => `${count} ${shown}`).join(', ')}`);
    t.end();
  },
);
