import type { CertificateStatus } from '../../delivery/platform.ts';
import type { Level, PlatformStatus } from '../model.ts';
import type { Text } from '../text.ts';
import { whole } from './format.ts';
import { explain, text } from './language.ts';
import { nowMs } from './live.ts';
import { AgeAndTime, Empty, Moment, State } from './parts.tsx';

const day = 86_400_000;

function stateOf(words: Text, platform: PlatformStatus): [Level, string] {
  const states: Record<PlatformStatus['state'], [Level, string]> = {
    sending: ['ok', words.platformSending],
    idle: ['ok', words.platformIdle],
    retrying: ['attention', words.platformRetrying],
    stopped: ['fault', words.platformStopped],
    starting: ['unknown', words.platformStarting],
  };
  return states[platform.state];
}

function Certificate({ certificate }: { certificate: CertificateStatus }) {
  const words = text.value;
  const { notBeforeMs, notAfterMs, role } = certificate;
  const now = nowMs.value;
  const days = Math.floor((notAfterMs - now) / day);
  const invalid = now < notBeforeMs || now >= notAfterMs;
  const level: Level = invalid
    ? 'fault'
    : notAfterMs - now < Math.min(30 * day, (notAfterMs - notBeforeMs) / 3)
      ? 'attention'
      : 'ok';
  const [before = '', after = ''] = words.certificateUntil('\u0000').split('\u0000');
  return (
    <div class="certificate">
      <span>{role === 'client' ? words.certificateClient : words.certificateCa}</span>
      <State level={level}>{invalid ? words.certificateExpired : words.certificateDays(whole(days))}</State>
      <small class="muted number">
        {before}
        <Moment at={notAfterMs} />
        {after}
      </small>
    </div>
  );
}

function NextTry({ at }: { at: number }) {
  const [before = '', after = ''] = text.value.nextTry('\u0000').split('\u0000');
  return (
    <small class="muted number">
      {before}
      <Moment at={at} part="time" />
      {after}
    </small>
  );
}

function Platform({ platform }: { platform: PlatformStatus }) {
  const words = text.value;
  const [level, state] = stateOf(words, platform);
  const troubled = platform.state === 'retrying' || platform.state === 'stopped';
  const { lastError, clockOffsetMs, unverified } = platform;
  return (
    <li class="platform">
      <div class="platform-name">
        <strong>{platform.platform}</strong>
        <small class="muted mono">{platform.url}</small>
      </div>
      <div>
        <State level={level}>{state}</State>
        {troubled && lastError !== undefined ? (
          <small>
            <code>{lastError.code}</code> {explain(lastError.code).title}
          </small>
        ) : null}
        {troubled && platform.nextTryMs !== undefined ? <NextTry at={platform.nextTryMs} /> : null}
        {clockOffsetMs !== undefined && Math.abs(clockOffsetMs) > 60_000 ? (
          <small>
            <State level="attention">{words.clockOffset(whole(Math.round(clockOffsetMs / 1000)))}</State>
          </small>
        ) : null}
      </div>
      <div>
        <small class="muted">
          {words.lastAccepted} ·{' '}
          {(platform.takes === 'images' ? words.unsentImages : words.unsent)(whole(platform.unsent))}
        </small>
        {platform.lastAcceptedMs === undefined ? words.lastNever : <AgeAndTime at={platform.lastAcceptedMs} />}
      </div>
      <div>
        {platform.certificates.length === 0 ? <span class="muted">{words.certificateNone}</span> : null}
        {platform.certificates.map((c) => (
          <Certificate key={c.fingerprint} certificate={c} />
        ))}
      </div>
      {platform.takes === 'images' ? null : (
        <p class="unverified">
          {unverified.length === 0 ? (
            <span class="muted">{words.unverifiedNone}</span>
          ) : (
            <>
              <State level="unknown">{words.unverified(unverified.length)}</State>{' '}
              <span class="mono">{unverified.join(', ')}</span>
            </>
          )}
        </p>
      )}
    </li>
  );
}

export function Platforms({ platforms }: { platforms: PlatformStatus[] }) {
  const words = text.value;
  return (
    <section class="card platforms" aria-labelledby="platforms-title">
      <h2 id="platforms-title">{words.platforms}</h2>
      {platforms.length === 0 ? <Empty what={words.noPlatforms} /> : null}
      <ul>
        {platforms.map((platform) => (
          <Platform key={platform.platform} platform={platform} />
        ))}
      </ul>
    </section>
  );
}
