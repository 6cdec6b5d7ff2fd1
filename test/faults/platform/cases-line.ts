import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { Observed, PlatformCase } from './cases.ts';
import { resolveName } from './names.ts';

const after: PlatformCase['after'] = { affected: 'delivered', neighbour: 'delivered' };
const trying = (code: ErrorCode, arrives: Observed['arrives'] = 'never'): Observed => ({
  state: 'retrying',
  lastError: code,
  shown: [code],
  affected: 'waits',
  neighbour: 'waits',
  arrives,
});

/** Faults below TLS, and of a platform that is there and says nothing. */
export const lineCases: PlatformCase[] = [
  {
    id: 'refused',
    fault: { zh: '端口拒绝连接（平台停机）', en: 'Connection refused (the platform is down)' },
    begin: (rig) => rig.line.down(),
    end: (rig) => rig.line.up(),
    during: trying('NET-1002'),
    after,
  },
  {
    id: 'no-name',
    fault: { zh: '平台的主机名解析不了', en: 'The platform’s host name does not resolve' },
    begin(rig) {
      resolveName(false);
      rig.line.set('forward');
    },
    end: () => resolveName(true),
    during: trying('NET-1001'),
    after,
  },
  {
    id: 'silent',
    exchangeMs: 600,
    fault: {
      zh: '连上了，但对方一个字节都不回（防火墙丢包）',
      en: 'Connected, and not one byte comes back (a firewall drops packets)',
    },
    begin(rig) {
      rig.line.set('forward');
      rig.line.set('vanished');
    },
    end: (rig) => rig.line.set('forward'),
    during: trying('NET-1003'),
    after,
    calls: 2,
  },
  {
    id: 'half-open',
    exchangeMs: 600,
    fault: {
      zh: '半开：已建立的连接上对方消失，没有 FIN 也没有 RST',
      en: 'Half-open: the peer of a standing connection is gone, without FIN or RST',
    },
    begin: (rig) => rig.line.set('vanished'),
    end: (rig) => rig.line.set('forward'),
    during: trying('NET-1003'),
    after,
    calls: 2,
  },
  {
    id: 'hang',
    exchangeMs: 1500,
    fault: { zh: '平台读了请求，从不回答', en: 'The platform reads the request and never answers' },
    begin: (rig) =>
      rig.province.setFault({ documents: { answer: { mode: 'hang' } }, hello: { answer: { mode: 'hang' } } }),
    end: (rig) => rig.province.setFault(),
    during: trying('NET-1003', 'once'),
    after,
    calls: 2,
  },
  {
    id: 'reset-in-request',
    fault: {
      zh: '上传途中连接被重置（RST），探测却正常',
      en: 'The connection is reset (RST) within each upload; the probe passes',
    },
    begin: (rig) => rig.line.set({ reset: 20_000 }),
    end: (rig) => rig.line.set('forward'),
    bytes: 40_000,
    during: trying('NET-1006'),
    after,
  },
  {
    id: 'cut-in-handshake',
    fault: { zh: '握手中连接被切断', en: 'The connection is cut within the handshake' },
    begin: (rig) => rig.line.set('closed-in-handshake'),
    end: (rig) => rig.line.set('forward'),
    during: trying('TLS-1210'),
    after,
  },
  {
    id: 'plain-http',
    fault: { zh: '端口上讲的是不加密的 HTTP', en: 'Plain HTTP on the port' },
    begin: (rig) => rig.line.set('plain-http'),
    end: (rig) => rig.line.set('forward'),
    during: trying('NET-1005'),
    after,
  },
  {
    id: 'byte-by-byte',
    fault: {
      zh: '很慢的线路：请求与回答一个字节一个字节地走，但在时限之内',
      en: 'A slow trickle: request and answer go a byte at a time, within the time limit',
    },
    begin: (rig) => rig.line.set({ trickle: 0 }),
    end: (rig) => rig.line.set('forward'),
    during: { state: 'idle', shown: [], affected: 'delivered', neighbour: 'delivered', arrives: 'once' },
    after,
  },
  {
    id: 'request-too-slow',
    exchangeMs: 600,
    fault: {
      zh: '请求走得太慢，超过整个交换的时限',
      en: 'The request trickles beyond the limit of the whole exchange',
    },
    begin: (rig) => rig.line.set({ trickle: 5 }),
    end: (rig) => rig.line.set('forward'),
    during: trying('NET-1003'),
    after,
    calls: 2,
  },
  {
    id: 'lost-answer',
    fault: {
      zh: '平台已生效，回答之前连接断了（一次）',
      en: 'The platform has taken it; the connection is cut before the answer (once)',
    },
    begin: (rig) => rig.province.setFault({ documents: { answer: { mode: 'reset-after' }, times: 1 } }),
    during: {
      state: 'idle',
      lastError: 'NET-1006',
      shown: [],
      affected: 'delivered',
      neighbour: 'delivered',
      arrives: 'again',
    },
    after,
  },
];
