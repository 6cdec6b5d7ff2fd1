import { copyFileSync, rmSync } from 'node:fs';
import type { ErrorCode } from '../../../agent/support/errors.ts';
import type { PkiOptions } from '../../platform/pki.ts';
import type { Observed, PlatformCase } from './cases.ts';
import type { PlatformRig } from './rig.ts';

const dayMs = 86_400_000;
const after: PlatformCase['after'] = { affected: 'delivered', neighbour: 'delivered' };
const stopped = (code: ErrorCode, more: ErrorCode[] = [], arrives: Observed['arrives'] = 'never'): Observed => ({
  state: 'stopped',
  lastError: code,
  shown: [...more, code].sort(),
  affected: 'waits',
  neighbour: 'waits',
  arrives,
});

/** What the platform's administrators, or ours, put right: everything is as it was. */
const allGood = async (rig: PlatformRig): Promise<void> => {
  rig.province.setFault();
  await rig.renew({});
  rig.install(rig.pki);
};

/** The agent meets a platform whose clock is two days behind; only then the fault comes. Seen from the agent it is its own clock. */
async function twoDaysApart(rig: PlatformRig): Promise<void> {
  rig.province.setFault({ clockAheadMs: -2 * dayMs });
  await rig.restart();
  while (rig.calls.at(-1)?.result !== 'ok') await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Our certificate is one that is not good, from the moment it lies on disk. */
async function ownBecomes(rig: PlatformRig, client: PkiOptions['client']): Promise<void> {
  await rig.renew({ client });
  rig.install(rig.pki);
}

const newCertificate = {
  zh: '换上平台签发的新证书与私钥；无需重启，自动恢复',
  en: 'Put the new certificate and key issued by the platform in place; uploads resume without a restart',
};
const fixClock = { zh: '校准本机时间；自动恢复', en: 'Correct the clock here; uploads then resume by themselves' };
const platformRenews = {
  zh: '由平台换上正确的证书；自动恢复',
  en: 'The platform puts the right certificate in place; uploads then resume by themselves',
};
const exemption = {
  zh: '网络管理员把平台地址加入免解密名单；自动恢复',
  en: 'The network administrator exempts the address; uploads then resume by themselves',
};

/** Faults of certificates, of either side, and of the clocks by which they are judged. Nothing of a document leaves in any of them. */
export const trustCases: PlatformCase[] = [
  {
    id: 'unknown-ca',
    fault: {
      zh: '平台证书不是由配置的 CA 签发（启动后还从未验证成功过）',
      en: 'Wrong CA: the platform’s certificate is not from the configured CA (none was verified since the start)',
    },
    async begin(rig) {
      await rig.renew({ server: 'other-ca' });
      await rig.restart();
    },
    end: allGood,
    during: stopped('TLS-1201'),
    after,
    person: platformRenews,
  },
  {
    id: 'self-signed',
    fault: { zh: '平台证书是自签名的', en: 'The platform’s certificate is self-signed' },
    begin: (rig) => rig.renew({ server: 'self-signed' }),
    end: allGood,
    during: stopped('TLS-1201'),
    after,
    person: platformRenews,
  },
  {
    id: 'wrong-ca-file',
    fault: { zh: 'tls.ca 里放错了 CA', en: 'The wrong CA was put into tls.ca' },
    begin: (rig) => copyFileSync(rig.stranger.ca, rig.own.ca),
    end: allGood,
    during: stopped('TLS-1201'),
    after,
    person: { zh: '放回正确的 CA 文件；无需重启', en: 'Put the right CA file back; no restart is needed' },
  },
  {
    id: 'inspected',
    fault: {
      zh: '中间设备解密 TLS：主机名正确，证书链终止于另一个 CA',
      en: 'TLS inspection: the host name is right, the chain ends in another CA',
    },
    async begin(rig) {
      await rig.renew({ server: 'other-ca-chain' });
      // As a device that was there from the start: nothing was ever verified.
      await rig.restart();
    },
    end: allGood,
    during: stopped('TLS-1207'),
    after,
    person: exemption,
  },
  {
    id: 'inspected-later',
    fault: {
      zh: '运行中签发者突然变了：主机名正确，只出示叶证书',
      en: 'The issuer changes while we run: right host name, only the leaf is shown',
    },
    begin: (rig) => rig.renew({ server: 'other-ca' }),
    end: allGood,
    during: stopped('TLS-1207'),
    after,
    person: exemption,
  },
  {
    id: 'wrong-host',
    fault: { zh: '平台证书的主机名不符', en: 'The platform’s certificate has another host name' },
    begin: (rig) => rig.renew({ server: 'wrong-name' }),
    end: allGood,
    during: stopped('TLS-1202'),
    after,
    person: platformRenews,
  },
  {
    id: 'platform-expired',
    fault: { zh: '平台证书已过期', en: 'The platform’s certificate has expired' },
    begin: (rig) => rig.renew({ server: 'expired' }),
    end: allGood,
    during: stopped('TLS-1203'),
    after,
    person: platformRenews,
  },
  {
    id: 'clock-platform-certificate',
    fault: {
      zh: '本机时间差两天，平台证书因此显得已过期',
      en: 'Clocks two days apart make the platform’s certificate look expired',
    },
    async begin(rig) {
      await twoDaysApart(rig);
      await rig.renew({ server: 'expired' });
    },
    end: allGood,
    during: stopped('TLS-1206', ['SYS-6001']),
    after,
    person: fixClock,
  },
  {
    id: 'clock-own-certificate',
    fault: {
      zh: '本机时间差两天，本机证书因此显得已过期',
      en: 'Clocks two days apart make our own certificate look expired',
    },
    async begin(rig) {
      await twoDaysApart(rig);
      await ownBecomes(rig, 'expired');
    },
    end: allGood,
    during: stopped('TLS-1206', ['SYS-6001']),
    after,
    person: fixClock,
  },
  {
    id: 'own-expired',
    fault: { zh: '本机证书已过期', en: 'Our certificate has expired' },
    begin: (rig) => ownBecomes(rig, 'expired'),
    end: allGood,
    during: stopped('TLS-1205'),
    after,
    person: newCertificate,
  },
  {
    id: 'own-not-yet-valid',
    fault: { zh: '本机证书尚未生效', en: 'Our certificate is not yet valid' },
    begin: (rig) => ownBecomes(rig, 'not-yet-valid'),
    end: allGood,
    during: stopped('TLS-1205'),
    after,
    person: newCertificate,
  },
  {
    id: 'own-missing',
    fault: { zh: '启动时没有本机证书文件', en: 'Our certificate file is missing at the start' },
    async begin(rig) {
      rmSync(rig.own.cert);
      await rig.restart();
    },
    end: allGood,
    during: stopped('TLS-1209'),
    after,
    person: newCertificate,
  },
  {
    id: 'own-not-a-pair',
    fault: { zh: '启动时证书与私钥不配对', en: 'Certificate and key do not match at the start' },
    async begin(rig) {
      copyFileSync(rig.stranger.clientKey, rig.own.key);
      await rig.restart();
    },
    end: allGood,
    during: stopped('TLS-1209'),
    after,
    person: newCertificate,
  },
  {
    id: 'own-removed-while-running',
    fault: {
      zh: '运行中证书文件被删除或只写了一半',
      en: 'Our certificate file disappears, or is half written, while we run',
    },
    begin: (rig) => rmSync(rig.own.cert),
    end: (rig) => rig.install(rig.pki),
    during: { state: 'idle', shown: [], affected: 'delivered', neighbour: 'delivered', arrives: 'once' },
    after,
  },
  {
    id: 'own-of-another-ca',
    fault: {
      zh: '本机证书由别的 CA 签发，平台握手后不作声地断开',
      en: 'Our certificate is of another CA; the platform closes silently after the handshake',
    },
    begin: (rig) => ownBecomes(rig, 'other-ca'),
    end: allGood,
    during: stopped('TLS-1204'),
    after,
    person: newCertificate,
    calls: 5,
  },
  {
    id: 'own-revoked',
    fault: {
      zh: '平台不再接受原先接受的证书，握手后不作声地断开',
      en: 'The platform stops taking a certificate it took before, and closes silently after the handshake',
    },
    begin: (rig) => rig.trustOnly(rig.stranger.ca),
    end: (rig) => rig.trustOnly(rig.pki.ca),
    during: stopped('TLS-1204'),
    after,
    person: {
      zh: '把本机证书指纹报给平台核对；平台放行后自动恢复',
      en: 'Give the platform the fingerprint of our certificate; once it is taken again uploads resume by themselves',
    },
    calls: 8,
  },
  {
    id: 'own-refused-by-nginx',
    fault: {
      zh: '反向代理（nginx）用 400 页面拒绝本机证书',
      en: 'A reverse proxy (nginx) refuses our certificate with a 400 page',
    },
    begin(rig) {
      const body = '<html><head><title>400 The SSL certificate error</title></head></html>';
      const answer = { answer: { mode: 'body', status: 400, type: 'text/html', body } } as const;
      rig.province.setFault({ documents: answer, hello: answer });
    },
    end: (rig) => rig.province.setFault(),
    during: stopped('TLS-1204', [], 'once'),
    after,
    person: newCertificate,
  },
  {
    id: 'tls-1.2-only',
    fault: { zh: '平台只会 TLS 1.2', en: 'The platform speaks TLS 1.2 only' },
    begin: (rig) => rig.speak('TLSv1.2'),
    end: (rig) => rig.speak('TLSv1.3'),
    during: { ...stopped('TLS-1210'), state: 'retrying' },
    after,
    person: {
      zh: '平台启用 TLS 1.3 后自动恢复；否则把 tls.min_version 设为 "1.2" 并重启',
      en: 'Resumes once the platform speaks TLS 1.3; otherwise set tls.min_version to "1.2" and restart',
    },
  },
];
