import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import iconv from 'iconv-lite';
import t from 'tap';
import { buildPreamble } from '../../adapters/dicom/part10.ts';
import { dataset, element, encodingOf, syntaxes } from '../adapters/dicom/build.ts';
import { eventually, folderOf, startAgentRig } from '../faults/disk/agent-rig.ts';
import { skipOrthanc, startOrthanc } from '../platform/orthanc/orthanc.ts';
import { createPki } from '../platform/pki.ts';

t.setTimeout(600_000);

const entry = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));
const ctImage = '1.2.840.10008.5.1.4.1.1.2';
// Invented; canaries too: none of them may lie anywhere in the clear.
const said = {
  uid: '2.25.999999778877',
  patient: '999999007766',
  accession: 'A999999-4455',
  nobody: '999999000111222',
};

function slice(number: number): { uid: string; bytes: Buffer } {
  const uid = `${said.uid}.1.${number}`;
  const body = dataset(encodingOf('explicit'), [
    element(0x0008_0016, 'UI', ctImage),
    element(0x0008_0018, 'UI', uid),
    element(0x0008_0020, 'DA', '20260301'),
    element(0x0008_0030, 'TM', '101500'),
    element(0x0008_0050, 'SH', said.accession),
    element(0x0008_0060, 'CS', 'CT'),
    element(0x0010_0010, 'PN', 'Wang^XiaoDong'),
    element(0x0010_0020, 'LO', said.patient),
    element(0x0010_0030, 'DA', '19800101'),
    element(0x0010_0040, 'CS', 'M'),
    element(0x0020_000d, 'UI', said.uid),
    element(0x0020_000e, 'UI', `${said.uid}.1`),
    element(0x0020_0013, 'IS', String(number)),
    element(0x7fe0_0010, 'OW', Buffer.alloc(20_000, number)),
  ]);
  const preamble = buildPreamble({ sopClassUid: ctImage, sopInstanceUid: uid, transferSyntaxUid: syntaxes.explicit });
  return { uid, bytes: Buffer.concat([preamble, body]) };
}

t.test(
  'a person finds a study, sends it again, takes it back, and notes what the platform did',
  { skip: skipOrthanc },
  async (t) => {
    const root = folderOf(t);
    const orthanc = await startOrthanc({ folder: join(root, 'orthanc') });
    t.teardown(orthanc.stop);
    const [inbox, archive, profile] = [join(root, 'inbox'), join(root, 'archive'), join(root, 'dicom.yaml')];
    for (const folder of [inbox, archive]) mkdirSync(folder);
    writeFileSync(profile, 'patient_id: in-house\nsex: { M: "1" }\nstudy: { stable_seconds: 1 }\n');
    const rig = await startAgentRig(t, {
      root,
      pki: createPki(join(root, 'pki')),
      sources: [{ name: 'dropped', kind: 'dicom-folder', profile, folder: inbox, archive, scan_interval_seconds: 0.3 }],
      provincePlatform: { format: 'imaging-index', pack: 'imaging-index' },
      platforms: [{ name: 'cloud', kind: 'dicomweb', url: orthanc.url, tls: orthanc.tls }],
    });

    /** `qianzhi` as it is installed, with what it is given on standard input. */
    async function qianzhi(words: string, typed = ''): Promise<{ exit: number | null; out: string; talk: string }> {
      const args = [entry, ...words.split(' '), '--config', join(root, 'qianzhi.yaml')];
      const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', LC_ALL: 'en_US.UTF-8' } });
      const texts = { out: '', talk: '' };
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        texts.out += piece;
      });
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        texts.talk += piece;
      });
      child.stdin.end(typed);
      const [exit] = (await once(child, 'close')) as [number | null];
      return { exit, ...texts };
    }

    t.match(await qianzhi('study find'), { exit: 5, out: '', talk: /The agent does not answer/ });
    rig.start();
    t.ok(await rig.ready(), 'it starts');
    t.match(await qianzhi('study find'), { exit: 3, out: /No study was found/ });

    const slices = [1, 2, 3].map(slice);
    for (const [i, { bytes }] of slices.entries()) {
      writeFileSync(join(root, `${i}.dcm`), bytes);
      renameSync(join(root, `${i}.dcm`), join(inbox, `${i}.dcm`));
    }
    t.ok(await eventually(async () => (await orthanc.count()) === 3), 'its images are at the cloud');
    t.ok(await eventually(() => rig.province.received().length === 1), 'and its index at the province');

    for (const kind of ['patient', 'accession', 'uid'] as const) {
      const found = await qianzhi(`study find --${kind}`, `${said[kind]}\n`);
      t.match(
        found,
        { exit: 0, out: /^Study 1 · dropped · CT · 3 images · complete\n.*\n {2}cloud: 3 uploaded/ },
        kind,
      );
      t.match(await qianzhi(`study find --${kind} -`, said[kind]), { exit: 0, out: /^Study 1/ }, `${kind} -`);
      const shouted = await qianzhi(`study find --${kind} ${said[kind]}`);
      t.match(shouted, { exit: 2, talk: /must not stand on the command line/ });
      t.notMatch(shouted.talk, said[kind], 'nor is it repeated');
    }
    t.match(await qianzhi('study find --patient --lang zh', said.nobody), { exit: 3, out: '没有查到检查。' });
    t.match(await qianzhi('study find --uid', '\n'), { exit: 1, talk: /^DCM-2286/ });
    t.match(JSON.parse((await qianzhi('study find --patient --json', said.patient)).out), { studies: [{ study: 1 }] });

    const alone = async () => (await qianzhi('study unmatched')).out;
    t.ok(await eventually(async () => (await alone()).includes('Study 1  since 2')), 'no report is on it');

    const shown = await qianzhi('study show 1');
    t.match(shown.out, /image 1 {2}#\d {2}2\S+ \S+ {2}\d+\.\d KB {2}cloud uploaded\n/);
    t.notMatch(shown.out, /Wang|999999/, 'no patient data');
    const whole = JSON.parse((await qianzhi('study show 1 --json')).out) as { images: unknown[] };
    t.equal(whole.images.length, 3);
    t.match(await qianzhi('study show 9'), { exit: 1, talk: /^DCM-2281/ });

    await orthanc.remove(slices[0]!.uid);
    t.equal(await orthanc.count(), 2, 'the cloud loses one');
    t.match(await qianzhi('study resend 1'), { exit: 0, out: 'Sent again: 3.' });
    t.ok(await eventually(async () => (await orthanc.count()) === 3), 'it has it again, and none twice');
    t.match(await qianzhi('instance resend 2 --platform cloud'), { exit: 0, out: 'Sent again: 1.' });
    t.match(await qianzhi('study resend 1 --platform clout'), { exit: 1, talk: /^DCM-2283/ });
    t.match(await qianzhi('study forget-platform --platform cloud'), { exit: 1, talk: /^DCM-2285/ });
    t.match(await qianzhi('study deleted 1 --platform cloud'), { exit: 1, talk: /^DCM-2284/ });

    t.match(await qianzhi('study withdraw 1'), { exit: 0, out: /^Study 1 is withdrawn/ });
    t.ok(await eventually(() => rig.province.received().some(({ operation }) => operation === 'retract')), 'retracted');
    const told = async () => (await rig.status())?.problems.some(({ code }) => code === 'DCM-2294') ?? false;
    t.ok(await eventually(told), 'a task for somebody: the cloud still has it');
    t.match(await qianzhi('study resend 1'), {
      exit: 3,
      out: /Nothing to be sent again.\n {2}cloud: 3 of a withdrawn study/,
    });
    t.match(await qianzhi('study deleted 1 --platform cloud'), { exit: 0, out: /has deleted 3 images/ });
    t.ok(await eventually(async () => !(await told())), 'the task is done');
    for (const { uid } of slices) await orthanc.remove(uid);
    t.match(await qianzhi('study restore 1'), { exit: 0, out: /restored/ });
    t.ok(await eventually(async () => (await orthanc.count()) === 3), 'and it goes again');

    await rig.stop();
    const files = (readdirSync(rig.data, { recursive: true }) as string[]).map((name) => join(rig.data, name));
    const logs = readdirSync(root)
      .filter((name) => name === 'agent.log' || name.startsWith('stderr.'))
      .map((name) => join(root, name));
    const leaks = [...files, ...logs].flatMap((file) => {
      const bytes = readOrEmpty(file);
      const inIt = (canary: string) =>
        file.includes(canary) || ['utf8', 'utf16le'].some((charset) => bytes.includes(iconv.encode(canary, charset)));
      return Object.entries(said).flatMap(([kind, canary]) => (inIt(canary) ? [`${kind} in ${file}`] : []));
    });
    t.same(leaks, []);
    t.ok(logs.length > 1);
    t.same(
      rig.deaths.filter(({ code }) => code !== 0),
      [],
    );
  },
);

const readOrEmpty = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch {
    // A folder, or the socket.
    return Buffer.alloc(0);
  }
};
