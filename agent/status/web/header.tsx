import { language, switchLanguage, text } from './language.ts';
import { connected, dataMs, model, stale } from './live.ts';
import { Moment, Shape } from './parts.tsx';

function Liveness() {
  const words = text.value;
  if (connected.value && !stale.value) {
    return (
      <span class="state is-ok">
        <Shape level="ok" />
        <span>{words.live}</span>
      </span>
    );
  }
  return (
    <span class="state is-unknown">
      <Shape level="unknown" />
      <span>{stale.value ? words.disconnected : words.connecting}</span>
    </span>
  );
}

export function Header() {
  const words = text.value;
  const site = model.value?.site;
  const at = dataMs.value;
  return (
    <header class="top">
      <div class="who">
        <span class="product">{words.product}</span>
        {site === undefined ? null : (
          <>
            <h1>{site.name}</h1>
            <span class="muted mono" title={words.orgCode}>
              {site.orgCode}
            </span>
          </>
        )}
      </div>
      <div class="now">
        {at === undefined ? null : (
          <span class="number">
            <span class="muted">{words.dataTime}</span> <Moment at={at} />
          </span>
        )}
        <Liveness />
        <button
          type="button"
          class="plain-button"
          lang={language.value === 'zh' ? 'en' : 'zh-CN'}
          aria-label={words.switchLanguage}
          onClick={switchLanguage}
        >
          {words.otherLanguage}
        </button>
      </div>
    </header>
  );
}

/** Above everything while the agent does not answer. */
export function StaleBand() {
  const words = text.value;
  if (!stale.value) return <div role="alert" />;
  const at = dataMs.value;
  return (
    <div class="stale-band" role="alert">
      <Shape level="unknown" />
      <div>
        <strong>{at === undefined ? words.staleNever : <StaleTitle at={at} />}</strong>
        <p>
          {at === undefined ? null : `${words.staleText} `}
          {words.staleFix}
        </p>
      </div>
    </div>
  );
}

function StaleTitle({ at }: { at: number }) {
  // The words stand around the time differently in each language: split where the time goes.
  const [before = '', after = ''] = text.value.staleTitle('\u0000').split('\u0000');
  return (
    <>
      {before}
      <Moment at={at} part="time" />
      {after}
    </>
  );
}
