import assert from 'node:assert/strict';
import type { MessageRow } from '../../agent/status/model.ts';
import { chemistry, gb18030, patient, report, utf8, write } from './reports.ts';
import type { Rig } from './rig.ts';

const minute = 60_000;
const corrected = '4.05';
/** Report numbers, control ids and values of the story, for whoever looks at what became of them. */
export const told = {
  report: 'LRS001',
  interim: 'LRS002',
  specimen: ['LRS003', 'LRS004'],
  sharedSpecimen: 'SPS003',
  first: '6.21',
  corrected,
  lastWord: 'LRS005',
} as const;

/**
 * What happens to one patient's reports in a hospital, told message by message on one connection; each is
 * acknowledged AA. Reports are numbered as in `told`; ten messages are new, one is a retransmission.
 * Gives what the status page showed while the interim waited.
 */
export async function tellStory(rig: Rig): Promise<MessageRow[]> {
  const who = patient(11, '郑珅玘');
  const at = report('').reportedMs;
  const say = async (message: { bytes: Buffer; controlId: string }) =>
    assert.equal(await rig.client.send(message.bytes, message.controlId), 'AA');

  const first = write(utf8, report(told.report, { patient: who, results: chemistry(told.first) }));
  await say(first);
  const whole = { patient: who, results: chemistry(corrected), status: 'C', reportedMs: at + 10 * minute };
  await say(write(utf8, report(told.report, whole), 'CS-correction'));
  await say(first);
  // Not a retransmission by its bytes: new control ids, the same content and an older one.
  await say(write(gb18030, report(told.report, whole), 'CS-again'));
  await say(write(gb18030, report(told.report, { patient: who, results: chemistry(told.first) }), 'CS-older'));

  await say(write(utf8, report(told.interim, { patient: who, status: 'P' }), 'CS-interim'));
  // What waits must have been seen waiting: the final that follows would absorb it.
  const whileWaiting = await rig.settled(5);
  const final = { patient: who, reportedMs: at + 20 * minute };
  await say(write(utf8, report(told.interim, final), 'CS-final'));

  const withdrawn = { patient: who, results: chemistry(corrected), status: 'X', reportedMs: at + 30 * minute };
  await say(write(utf8, report(told.report, withdrawn), 'CS-withdrawal'));

  for (const [n, number] of told.specimen.entries()) {
    await say(
      write(
        gb18030,
        report(number, { patient: who, specimenNumber: told.sharedSpecimen, results: chemistry(`4.${n}1`) }),
      ),
    );
  }
  await say(write(gb18030, report(told.lastWord, { patient: who, reportedMs: at + 40 * minute })));
  return whileWaiting;
}
