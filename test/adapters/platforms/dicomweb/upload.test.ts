import t from 'tap';
import { storeBody } from '../../../../adapters/platforms/dicomweb/multipart.ts';
import { errorTable } from '../../../../agent/support/errors.ts';
import type { Log } from '../../../../agent/support/log.ts';
import { file, newUid, outgoing } from './instances.ts';
import { instances, never, rig } from './rig.ts';
import { item, response } from './store-platform.ts';

t.test('a batch is one POST to /studies, its length said beforehand, its bytes unchanged', async (t) => {
  const { platform, connection } = await rig(t);
  const batch = instances(3);
  const result = await connection.send(
    batch.map(({ out }) => out),
    never,
  );
  t.same(result, { kind: 'items', items: [1, 2, 3].map((n) => ({ n, outcome: 'accepted' })) });
  const [call, ...others] = platform.calls;
  t.equal(others.length, 0);
  t.equal(call!.req.method, 'POST');
  t.equal(call!.req.url, '/dicom-web/studies', 'and no study’s UID in the address');
  t.equal(call!.req.headers['content-length'], String(call!.length));
  t.equal(call!.req.headers['transfer-encoding'], undefined);
  t.equal(call!.req.headers.accept, 'application/dicom+json');
  t.match(call!.req.headers['user-agent'], /^qianzhi\/\d/);
  t.strictSame(
    call!.parts.map((part, i) => part.equals(batch[i]!.bytes)),
    [true, true, true],
  );
});

t.test('requests under way together use no more connections than configured, and keep them', async (t) => {
  const { platform, connection } = await rig(t, { config: { concurrency: 2 } });
  for (let round = 0; round < 5; round++) {
    const two = [instances(1), instances(1)];
    await Promise.all(
      two.map((batch) =>
        connection.send(
          batch.map(({ out }) => out),
          never,
        ),
      ),
    );
  }
  t.equal(platform.calls.length, 10);
  t.ok(platform.connections <= 3, `${platform.connections} connections`);
});

t.test('an instance found damaged in the middle is settled alone; the rest goes again and arrives', async (t) => {
  const { platform, connection } = await rig(t);
  const [one, three] = instances(2);
  const study = newUid();
  const sop = newUid();
  const large = file({ study, sop, rows: 512, columns: 512, frames: 4 });
  const damaged = outgoing(7, large, { study, sop }, 1024 * 1024);
  t.same(await connection.send([one!.out, damaged, three!.out], never), {
    kind: 'items',
    items: [
      { n: 1, outcome: 'retry', code: 'DCM-2278' },
      { n: 7, outcome: 'refused', code: 'QUE-4003' },
      { n: 2, outcome: 'retry', code: 'DCM-2278' },
    ],
  });
  t.equal(platform.calls.length, 0, 'no request was completed');
  t.equal(three!.out.opened, 0, 'nothing after the damage was read');
  t.match(await connection.send([one!.out, three!.out], never), {
    items: [{ outcome: 'accepted' }, { outcome: 'accepted' }],
  });
  t.equal(platform.brokenOff, 1);
});

t.test('damaged instances one after another are never taken for a refused certificate', async (t) => {
  const { platform, connection } = await rig(t);
  for (let n = 1; n <= 8; n++) {
    const study = newUid();
    const sop = newUid();
    const bytes = file({ study, sop, rows: 512, columns: 512 });
    t.match(await connection.send([outgoing(n, bytes, { study, sop }, 300_000)], never), {
      items: [{ n, outcome: 'refused', code: 'QUE-4003' }],
    });
  }
  platform.always = (call) => call.req.socket.destroy();
  const [one] = instances(1);
  t.same(await connection.send([one!.out], never), { kind: 'retry', code: 'NET-1006' });
});

for (const [what, change] of [
  ['more', 1],
  ['fewer', -1],
] as const) {
  t.test(
    `an instance that gives ${what} bytes than it has is damaged, and nothing of it is taken for another`,
    async (t) => {
      const { platform, connection } = await rig(t);
      const [one] = instances(1);
      one!.out.bytes -= change;
      t.same(await connection.send([one!.out], never), {
        kind: 'items',
        items: [{ n: 1, outcome: 'refused', code: 'QUE-4003' }],
      });
      t.equal(platform.calls.length, 0);
    },
  );
}

t.test('an instance that cannot be opened just now goes again', async (t) => {
  const { connection } = await rig(t);
  const [one, two] = instances(2);
  two!.out.open = () => {
    throw Object.assign(new Error('a path that must not be shown'), { code: 'EMFILE' });
  };
  t.same(await connection.send([one!.out, two!.out], never), {
    kind: 'items',
    items: [
      { n: 1, outcome: 'retry', code: 'DCM-2278' },
      { n: 2, outcome: 'retry', code: 'QUE-4003' },
    ],
  });
});

t.test('two instances of one UID do not share a request: the second goes again', async (t) => {
  const { platform, connection } = await rig(t);
  const [one] = instances(1);
  const again = outgoing(2, file({ ...one!, comment: 'other content' }), one!);
  t.same(await connection.send([one!.out, again], never), {
    kind: 'items',
    items: [
      { n: 1, outcome: 'accepted' },
      { n: 2, outcome: 'retry', code: 'DCM-2278' },
    ],
  });
  t.same(platform.calls[0]!.uids, [one!.sop]);
});

t.test('an upload whose platform has stopped reading ends, and the next one goes through', async (t) => {
  const { platform, connection } = await rig(t, { timing: { answerMs: 1000 } });
  platform.early = (req) => {
    req.pause();
    return true;
  };
  const study = newUid();
  const sop = newUid();
  const bytes = file({ study, sop, rows: 1024, columns: 1024, frames: 16 });
  const out = outgoing(1, bytes, { study, sop });
  let given = 0;
  const open = out.open;
  out.open = async function* () {
    for await (const piece of open()) {
      given += piece.length;
      yield piece;
    }
  };
  t.same(await connection.send([out], never), { kind: 'retry', code: 'NET-1003' });
  t.ok(given < bytes.length, `back pressure: ${given} of ${bytes.length} bytes were read`);
  platform.early = () => false;
  const [one] = instances(1);
  t.match(await connection.send([one!.out], never), { items: [{ outcome: 'accepted' }] });
});

t.test('an upload that moves may last longer than the limit of an exchange', async (t) => {
  const { connection } = await rig(t, { timing: { exchangeMs: 2000 } });
  const [one] = instances(1);
  const began = performance.now();
  one!.out.open = async function* () {
    for (let at = 0; at < one!.bytes.length; at += 32) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      yield one!.bytes.subarray(at, at + 32);
    }
  };
  t.match(await connection.send([one!.out], never), { items: [{ outcome: 'accepted' }] });
  t.ok(performance.now() - began > 2000, 'it lasted longer than the limit');
});

t.test('a source that gives nothing more ends the request', async (t) => {
  const { connection } = await rig(t, { timing: { exchangeMs: 300 } });
  const [one] = instances(1);
  let letGo = (): void => {};
  one!.out.open = async function* () {
    yield one!.bytes.subarray(0, 100);
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
  };
  t.same(await connection.send([one!.out], never), { kind: 'retry', code: 'NET-1003' });
  letGo();
});

t.test('a platform that takes everything and never answers is given up', async (t) => {
  const { platform, connection } = await rig(t, { timing: { answerMs: 300 } });
  platform.always = () => {};
  t.same(
    await connection.send(
      instances(1).map(({ out }) => out),
      never,
    ),
    { kind: 'retry', code: 'NET-1003' },
  );
});

t.test('an answer before the end of the body counts', async (t) => {
  const { platform, connection } = await rig(t);
  platform.early = (req, res) => {
    req.resume();
    res.writeHead(413, { connection: 'close' }).end();
    return true;
  };
  const study = newUid();
  const sop = newUid();
  const out = outgoing(1, file({ study, sop, rows: 1024, columns: 1024, frames: 8 }), { study, sop });
  t.same(await connection.send([out], never), { kind: 'too-large', code: 'PLT-1302' });
});

t.test('the caller can break an upload off', async (t) => {
  const { platform, connection } = await rig(t);
  const stop = new AbortController();
  platform.early = (req) => {
    req.once('data', () => {
      req.pause();
      stop.abort();
    });
    return true;
  };
  const study = newUid();
  const sop = newUid();
  const out = outgoing(1, file({ study, sop, rows: 1024, columns: 1024, frames: 8 }), { study, sop });
  t.same(await connection.send([out], stop.signal), { kind: 'retry', code: 'NET-1006' });
  t.same(await connection.send([out], stop.signal), { kind: 'retry', code: 'NET-1006' }, 'nor does one begin after it');
});

t.test('nothing is read from disk while the platform cannot be reached', async (t) => {
  const { platform, connection } = await rig(t);
  await platform.close();
  const [one] = instances(1);
  t.same(await connection.send([one!.out], never), { kind: 'retry', code: 'NET-1002' });
  t.equal(one!.out.opened, 0);
});

for (const [what, pki, code] of [
  ['another CA’s server', { server: 'other-ca' }, 'TLS-1201'],
  ['a server of another name', { server: 'wrong-name' }, 'TLS-1202'],
] as const) {
  t.test(`${what} gets no image`, async (t) => {
    const { platform, connection } = await rig(t, { pki });
    const [one] = instances(1);
    t.same(await connection.send([one!.out], never), { kind: 'stop', code });
    t.equal(one!.out.opened, 0);
    t.equal(platform.calls.length, 0);
  });
}

t.test('the log names no patient, study or instance, whatever the platform says', async (t) => {
  const lines: string[] = [];
  const note = (event: string, fields?: object): void => void lines.push(JSON.stringify([event, fields]));
  const log: Log = { info: note, warn: note, error: note };
  const { platform, connection } = await rig(t, { log });
  const [one, two] = instances(2);
  platform.next.push(
    (call) =>
      call.json(202, response([item(call.uids[0]!, { warning: 0xb006 })], [item('HAOMA-7')]), { warning: 'Ceshi^Jia' }),
    (call) => call.text(500, 'Ceshi^Jia'),
  );
  const results = [await connection.send([one!.out, two!.out], never), await connection.send([one!.out], never)];
  const damaged = outgoing(3, two!.bytes, two!, 1);
  results.push(await connection.send([damaged], never));
  await connection.countInstances!(one!.out.studyUid, never);
  const all = lines.join('\n') + JSON.stringify(results);
  t.match(all, /platform-stored-with-warning/);
  t.match(all, /instance-unreadable/);
  for (const secret of [one!.study, one!.sop, two!.sop, 'Ceshi', 'HAOMA-7']) t.notMatch(all, secret);
});

t.test('the boundary of each request is another', async (t) => {
  t.not(storeBody([]).contentType, storeBody([]).contentType);
});

t.test('every code that can come out is in the table', async (t) => {
  for (let n = 2271; n <= 2278; n++) t.ok(`DCM-${n}` in errorTable, `DCM-${n}`);
});
