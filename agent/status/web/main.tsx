import { effect } from '@preact/signals';
import { render } from 'preact';
import { Header, StaleBand } from './header.tsx';
import { language, text } from './language.ts';
import { goLive, model, stale } from './live.ts';
import { Messages } from './messages.tsx';
import { levelWord, Moment } from './parts.tsx';
import { Platforms } from './platforms.tsx';
import { Problems } from './problems.tsx';
import { Senders } from './senders.tsx';
import { Facts, Stations } from './stations.tsx';
import { Studies } from './studies.tsx';
import { Verdict } from './verdict.tsx';

/** 总览: the order of the first screen is the design brief's. */
function Overview() {
  const words = text.value;
  const now = model.value;
  if (now === undefined) {
    return (
      <main>
        <section class="verdict is-unknown" aria-label={words.verdictLabel}>
          <p class="muted">{words.loading}</p>
        </section>
      </main>
    );
  }
  return (
    <main class={stale.value ? 'is-stale' : ''}>
      <Verdict model={now} />
      <Stations model={now} />
      <Facts model={now} />
      <div class="columns">
        <Problems problems={now.problems} />
        <Senders model={now} />
      </div>
      {now.images === undefined ? null : <Studies />}
      <Messages />
      <Platforms platforms={now.platforms} />
    </main>
  );
}

function Footer() {
  const words = text.value;
  const now = model.value;
  if (now === undefined) return null;
  return (
    <footer class="muted number">
      {words.version} {now.version} · {words.startedAt} <Moment at={now.startedMs} /> · {words.footer} (
      {now.site.timeZone})
    </footer>
  );
}

function Page() {
  return (
    <>
      <Header />
      {model.value?.demo === true ? <p class="demo-band">{text.value.demo}</p> : null}
      <StaleBand />
      <Overview />
      <Footer />
    </>
  );
}

// A tab that is not in front still says how things are.
effect(() => {
  const words = text.value;
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  const level = stale.value ? 'unknown' : model.value?.verdict.level;
  const word = stale.value ? words.disconnected : level === undefined ? '' : levelWord(words, level);
  document.title = word === '' ? words.documentTitle : `${word} · ${words.documentTitle}`;
});

const root = document.getElementById('page');
if (root !== null) {
  root.replaceChildren();
  render(<Page />, root);
  goLive();
}
