import { readdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { isAlive, isOpen } from '../demo/running.ts';
import { patient, report, utf8, write } from './reports.ts';
import { type Rig, startRig } from './rig.ts';

t.setTimeout(600_000);

/** Command lines of the processes that were started with a path below the folder; Linux only. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(folder));
}
const linux = process.platform === 'linux';

async function send(rig: Rig, ...numbers: string[]): Promise<void> {
  for (const number of numbers) {
    const { bytes, controlId } = write(utf8, report(number, { patient: patient(31) }));
    if ((await rig.client.send(bytes, controlId)) !== 'AA') throw new Error(`${number} was refused`);
    await rig.documents(number);
  }
}

/** A report of an earlier run comes again, and is then corrected. */
async function correct(t: Test, rig: Rig, sent: number): Promise<void> {
  const first = report('END01', { patient: patient(31) });
  const again = write(utf8, { ...first, status: 'F' });
  t.equal(await rig.client.send(again.bytes, again.controlId), 'AA');
  const whole = { ...first, status: 'C', reportedMs: first.reportedMs + 60_000, results: first.results.slice() };
  whole.results[0] = { ...whole.results[0]!, value: '4.44', flag: 'N' };
  const correction = write(utf8, whole, 'END01-correction');
  t.equal(await rig.client.send(correction.bytes, correction.controlId), 'AA');
  const found = await rig.documents('END01', 2);
  t.same(
    found.map(({ sidecar: { n, version, operation } }) => [n, version, operation]),
    [
      [1, 1, 'publish'],
      [sent + 1, 2, 'replace'],
    ],
  );
  t.equal(new Set(found.map(({ sidecar }) => sidecar.setId)).size, 1);
  t.equal(new Set(found.map(({ sidecar }) => sidecar.lane)).size, 1);
}

const endings: Array<[how: string, end: (rig: Rig) => unknown]> = [
  ['the end of stdin', (rig) => rig.demo.child.stdin!.end()],
  ['SIGTERM', (rig) => rig.demo.child.kill('SIGTERM')],
  ['SIGINT', (rig) => rig.demo.child.kill('SIGINT')],
];

t.test('however it is ended nothing is left, and on the same folder it goes on and knows what was', async (t) => {
  const folder = t.testdir();
  let sent = 0;
  for (const [at, [how, end]] of endings.entries()) {
    await t.test(how, async (t) => {
      const rig = await startRig(t, folder);
      if (linux) t.equal(processesOf(folder).length, 3, 'launcher, province and agent');
      t.equal(rig.received().length, sent, 'what was accepted before is still there');
      await send(rig, `END${at}1`, `END${at}2`);
      sent += 2;
      if (at === 1) {
        await correct(t, rig, sent);
        sent += 1;
      }
      t.same(
        rig.received().map(({ sidecar }) => sidecar.n),
        Array.from({ length: sent }, (_, i) => i + 1),
        'acceptance numbers go on',
      );
      // A connection that is open, as a hospital's always is, must not keep anything alive.
      end(rig);
      t.same(await rig.demo.exit, [0, null]);
      t.equal(isAlive(rig.ready.agentPid), false);
      if (linux) t.same(processesOf(folder), []);
      for (const url of [rig.status, rig.ready.platform, `tcp://127.0.0.1:${rig.mllp.port}`]) {
        t.equal(await isOpen(url), false, 'the port is free');
      }
    });
  }
});
