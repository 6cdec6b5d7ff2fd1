import t from 'tap';
import { stringify } from 'yaml';
import { checkProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { readAsset } from '../../../../agent/support/assets.ts';
import { QianzhiError } from '../../../../agent/support/errors.ts';
import { connectSender, oru, startListener, until } from './listener.ts';

t.test('where a counter begins anew with the device, a control id used again is nothing to tell', async (t) => {
  for (const [ids, told] of [
    ['unique', ['HL7-2103']],
    ['restarting', []],
  ] as const) {
    const { port, behave, stored, problems } = await startListener(t, { profile: `intake: {control_ids: ${ids}}` });
    behave(async () => ({ controlIdReused: true }));
    const sender = await connectSender(t, port);
    sender.frames(oru('1'), oru('1', 'NTE|1\r'));
    t.same(await sender.acks(2), ['AA:1', 'AA:1'], ids);
    t.same(stored, [oru('1'), oru('1', 'NTE|1\r')], 'stored is the same');
    t.same([...new Set(problems())], told);
  }
});

t.test('a batch is answered by a batch, or by one answer for all', async (t) => {
  for (const [answers, acks, frames] of [
    ['batch', ['AA:B1', 'AE:B2', 'AA:B3', 'AA:Z'], 2],
    ['first', ['AE:B1', 'AA:Z'], 2],
  ] as const) {
    const { port, behave, stored } = await startListener(t, { profile: `intake: {batch_answers: ${answers}}` });
    behave(async (message) => {
      if (Buffer.from(message.controlId).toString() === 'B2') throw new QianzhiError('QUE-4001');
      return {};
    });
    const sender = await connectSender(t, port);
    sender.frames(`BHS|^~\\&|LIS|HOSP\r${oru('B1')}${oru('B2')}${oru('B3')}BTS|3\r`, oru('Z'));
    await until(() => sender.received().includes('MSA|AA|Z'));
    t.same(
      [...sender.received().matchAll(/\rMSA\|(\w\w)\|([^|\r]*)/g)].map((m) => `${m[1]}:${m[2]}`),
      acks,
    );
    t.equal(sender.received().split('\x1c\r').length - 1, frames);
    t.equal(sender.received().includes('BHS|'), answers === 'batch');
    t.same(stored, [oru('B1'), oru('B3'), oru('Z')]);
  }
});

t.test('the built-in profiles answer as their devices wait for', async (t) => {
  const answer = async (name: string, head: string) => {
    const { profile } = checkProfile(readAsset(`config/dialects/${name}.yaml`));
    const { port } = await startListener(t, { profile: stringify({ intake: profile.intake }) });
    const sender = await connectSender(t, port);
    sender.frames(`MSH|^~\\&|DEV||||20260301093000||ORU^R01|1|P|2.3.1|${head}\rPID|1\r`);
    await until(() => sender.received().endsWith('\x1c\r'));
    const [msh = '', msa] = sender.received().slice(1).split('\r');
    return [msa, msh.split('|')[15] ?? ''];
  };
  for (const kind of ['0', '1', '2']) {
    t.same(await answer('mindray-analyser', `|||${kind}`), ['MSA|AA|1|Message accepted|||0|', kind], 'MSH-16 echoed');
  }
  t.same(await answer('mindray-monitor', '||AL|NE'), ['MSA|CA|1', ''], 'a commit answer, and no other');
  t.same(await answer('mindray-monitor', ''), ['MSA|AA|1', ''], 'a heartbeat asks for nothing special');
  for (const name of ['lis-oul', 'his', 'winning', 'pacs-report']) {
    t.same(await answer(name, '||AL|AL'), ['MSA|AA|1', ''], `${name}: one AA whatever is asked`);
  }
});
