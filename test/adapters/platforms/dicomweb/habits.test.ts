import t from 'tap';
import type { SendResult } from '../../../../agent/delivery/platform.ts';
import { instances, never, rig } from './rig.ts';
import { type Behaviour, item, response } from './store-platform.ts';

/** What servers answer to a request of two instances, and what has to come of it. */
const habits: Array<[what: string, behaviour: Behaviour, expected: SendResult]> = [
  [
    'Orthanc: all stored, listed by UID',
    (call) => call.store(),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'accepted' },
      ],
    },
  ],
  [
    'Orthanc: 400 for the whole although one is stored; the other is listed nowhere',
    (call) => call.json(400, { ...response([item(call.uids[0]!)]), '00081198': { vr: 'SQ' } }),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'retry', code: 'DCM-2271' },
      ],
    },
  ],
  [
    'Orthanc: 400 and nothing listed',
    (call) => call.json(400, { '00081198': { vr: 'SQ', Value: [] }, '00081199': { vr: 'SQ', Value: [] } }),
    { kind: 'refused-whole', code: 'PLT-1308' },
  ],
  [
    'an old Orthanc: 200 and nothing stored',
    (call) => call.json(200, { '00081198': { vr: 'SQ' }, '00081199': { vr: 'SQ' } }),
    { kind: 'retry', code: 'DCM-2271' },
  ],
  [
    'dcm4chee: 202, one stored and one failed, with a Warning header',
    (call) =>
      call.json(202, response([item(call.uids[0]!)], [item(call.uids[1]!, { failure: 0xa900 })]), {
        warning: '299 dcm4chee: data set does not match SOP class',
      }),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'refused', code: 'DCM-2276', platformCode: 'A900' },
      ],
    },
  ],
  [
    'dcm4chee: 409, all failed, each for its own reason',
    (call) =>
      call.json(
        409,
        response([], [item(call.uids[0]!, { failure: 0xa700 }), item(call.uids[1]!, { failure: 0x0122 })]),
        { warning: '299 dcm4chee: out of resources' },
      ),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'retry', code: 'DCM-2272' },
        { n: 2, outcome: 'refused', code: 'DCM-2274', platformCode: '0122' },
      ],
    },
  ],
  [
    'dcm4chee: 200 with coerced elements: stored',
    (call) => call.json(200, response(call.uids.map((uid) => item(uid, { warning: 0xb000 })))),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'accepted' },
      ],
    },
  ],
  [
    'Google: 409, the UID is there with other content',
    (call) =>
      call.json(
        409,
        response(
          [],
          call.uids.map((uid) => ({
            ...item(uid, { failure: 272 }),
            '00090097': { vr: 'LT', Value: ['already exists'] },
          })),
        ),
      ),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'refused', code: 'DCM-2275', platformCode: '0110' },
        { n: 2, outcome: 'refused', code: 'DCM-2275', platformCode: '0110' },
      ],
    },
  ],
  ['Google: 409 that names nobody', (call) => call.json(409, {}), { kind: 'refused-whole', code: 'DCM-2275' }],
  [
    'Microsoft: 409, one is there already, one failed validation',
    (call) =>
      call.json(
        409,
        response([], [item(call.uids[0]!, { failure: 45_070 }), item(call.uids[1]!, { failure: 43_264 })]),
      ),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'refused', code: 'DCM-2276', platformCode: 'A900' },
      ],
    },
  ],
  [
    'Microsoft: 409, an earlier attempt is still being cleaned up',
    (call) => call.json(409, response([], [item(call.uids[0]!, { failure: 45_071 }), item(call.uids[1]!)])),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'retry', code: 'DCM-2273' },
        { n: 2, outcome: 'retry', code: 'DCM-2273' },
      ],
    },
  ],
  ['Microsoft: 204, no content', (call) => call.text(204), { kind: 'retry', code: 'DCM-2271' }],
  [
    'the answer stands in an array, UIDs are padded, numbers are strings',
    (call) =>
      call.json(202, [
        response([item(`${call.uids[0]}\0`)]),
        response([], [{ ...item(call.uids[1]!), '00081197': { vr: 'US', Value: ['290'] } }]),
      ]),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'refused', code: 'DCM-2274', platformCode: '0122' },
      ],
    },
  ],
  [
    '200, but one failed: the status proves nothing',
    (call) => call.json(200, response([item(call.uids[0]!)], [item(call.uids[1]!, { failure: 0x0110 })])),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'accepted' },
        { n: 2, outcome: 'retry', code: 'DCM-2273' },
      ],
    },
  ],
  [
    '500, but one is stored: the status disproves nothing',
    (call) => call.json(500, response([item(call.uids[1]!)]), { 'retry-after': '9' }),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'retry', code: 'DCM-2271', retryAfterMs: 9000 },
        { n: 2, outcome: 'accepted' },
      ],
    },
  ],
  [
    'stored and failed at once counts as neither',
    (call) =>
      call.json(
        200,
        response(
          call.uids.map((uid) => item(uid)),
          [item(call.uids[0]!, { failure: 0xa900 })],
        ),
      ),
    {
      kind: 'items',
      items: [
        { n: 1, outcome: 'retry', code: 'DCM-2271' },
        { n: 2, outcome: 'accepted' },
      ],
    },
  ],
  [
    'only instances of others are listed',
    (call) => call.json(200, response([item('1.2.3')])),
    { kind: 'retry', code: 'DCM-2271' },
  ],
  ['200 with nothing', (call) => call.text(200), { kind: 'retry', code: 'DCM-2271' }],
  ['200 with a page', (call) => call.text(200, '<html>'), { kind: 'retry', code: 'DCM-2271' }],
  ['200 with JSON of another kind', (call) => call.json(200, ['ok', 1, null]), { kind: 'retry', code: 'DCM-2271' }],
  [
    '200 with sequences that are none',
    (call) => call.json(200, { '00081199': 'all', '00081198': { Value: { a: 1 } } }),
    { kind: 'retry', code: 'DCM-2271' },
  ],
  [
    'half an answer',
    (call) => {
      const text = JSON.stringify(response(call.uids.map((uid) => item(uid))));
      call.res.writeHead(200, { 'content-length': String(text.length) });
      call.res.write(text.slice(0, -40), () => call.req.socket.destroy());
    },
    { kind: 'retry', code: 'DCM-2271' },
  ],
  [
    'an answer beyond a mebibyte is not kept',
    (call) => call.json(200, { ...response(call.uids.map((uid) => item(uid))), pad: 'x'.repeat(1100 * 1024) }),
    { kind: 'retry', code: 'DCM-2271' },
  ],
  [
    'an encoded answer, which was not asked for',
    (call) => call.json(200, response(call.uids.map((uid) => item(uid))), { 'content-encoding': 'gzip' }),
    { kind: 'retry', code: 'DCM-2271' },
  ],
  [
    '302 is not followed, whatever it says',
    (call) => call.json(302, response(call.uids.map((uid) => item(uid))), { location: '/elsewhere' }),
    { kind: 'retry', code: 'PLT-1306' },
  ],
  ['401', (call) => call.text(401), { kind: 'stop', code: 'PLT-1301' }],
  ['403', (call) => call.text(403), { kind: 'stop', code: 'PLT-1301' }],
  ['404', (call) => call.text(404), { kind: 'retry', code: 'PLT-1307' }],
  ['413', (call) => call.text(413), { kind: 'too-large', code: 'PLT-1302' }],
  ['415', (call) => call.text(415), { kind: 'refused-whole', code: 'DCM-2274' }],
  [
    '429, Retry-After in seconds',
    (call) => call.text(429, '', { 'retry-after': '17' }),
    { kind: 'retry', code: 'PLT-1303', retryAfterMs: 17_000 },
  ],
  [
    '503, Retry-After as a date by the platform’s clock',
    (call) =>
      call.text(503, '', { date: 'Fri, 02 Jan 2026 08:00:00 GMT', 'retry-after': 'Fri, 02 Jan 2026 08:01:30 GMT' }),
    { kind: 'retry', code: 'PLT-1304', retryAfterMs: 90_000 },
  ],
  ['500', (call) => call.text(500), { kind: 'retry', code: 'PLT-1304' }],
  ['507', (call) => call.text(507), { kind: 'retry', code: 'PLT-1304' }],
  [
    'nginx refuses our certificate with a page of its own',
    (call) => call.text(400, '<html><title>400 The SSL certificate error</title>'),
    { kind: 'stop', code: 'TLS-1204' },
  ],
  ['the connection ends without a word', (call) => call.req.socket.destroy(), { kind: 'retry', code: 'NET-1006' }],
];

for (const [what, behaviour, expected] of habits) {
  t.test(what, async (t) => {
    const { platform, connection } = await rig(t);
    platform.next.push(behaviour);
    t.same(
      await connection.send(
        instances(2).map(({ out }) => out),
        never,
      ),
      expected,
    );
    t.equal(platform.calls.length, 1, 'one request, never repeated by itself');
  });
}

t.test('a nameless failure is the instance’s that went alone', async (t) => {
  const { platform, connection } = await rig(t);
  platform.always = (call) =>
    call.json(409, response([], [{ '00081197': { vr: 'US', Value: [272] }, '00090097': { vr: 'LT', Value: [''] } }]));
  const [one, two] = instances(2);
  t.same(await connection.send([one!.out], never), {
    kind: 'items',
    items: [{ n: 1, outcome: 'refused', code: 'DCM-2275', platformCode: '0110' }],
  });
  t.same(await connection.send([one!.out, two!.out], never), { kind: 'refused-whole', code: 'DCM-2275' });
});
