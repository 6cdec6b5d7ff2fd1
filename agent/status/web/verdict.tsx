import type { Problem, Side, StatusModel } from '../model.ts';
import type { Text } from '../text.ts';
import { explain, text } from './language.ts';
import { Lasting, levelWord, Moment, Shape } from './parts.tsx';

const sideWord = (words: Text, side: Side): string =>
  ({
    hospital: words.sideHospital,
    agent: words.sideAgent,
    platform: words.sidePlatform,
    network: words.sideNetwork,
  })[side];

const callWord = (words: Text, side: Side): string =>
  ({
    hospital: words.callHospital,
    agent: words.callAgent,
    platform: words.callPlatform,
    network: words.callNetwork,
  })[side];

/** Without a problem to name: what the level rests on. */
function plainSentence(words: Text, model: StatusModel): string {
  const { level } = model.verdict;
  if (level === 'ok') return words.verdictOk;
  if (level === 'paused') return words.verdictPaused;
  const unknown = model.stations.find((station) => station.level === 'unknown')?.id;
  if (unknown === 'hospital') return words.verdictUnknownHospital;
  if (unknown === 'intake') return words.verdictUnknownIntake;
  return unknown === 'platform' ? words.verdictUnknownPlatform : words.verdictUnknown;
}

function Advice({ problem }: { problem: Problem }) {
  const words = text.value;
  return (
    <dl class="advice">
      <div>
        <dt>{words.sideLabel}</dt>
        <dd>{sideWord(words, problem.side)}</dd>
      </div>
      <div>
        <dt>{words.callLabel}</dt>
        <dd>{callWord(words, problem.side)}</dd>
      </div>
      <div class="wide">
        <dt>{words.doLabel}</dt>
        <dd>{explain(problem.code).fix}</dd>
      </div>
    </dl>
  );
}

/** Is all well, since when; and if not: whose side, whom to call, what to do. */
export function Verdict({ model }: { model: StatusModel }) {
  const words = text.value;
  const { level, sinceMs } = model.verdict;
  const problem = model.problems.find((p) => p.level === level);
  const others = model.problems.length - 1;
  const [before = '', after = ''] = words.since('\u0000').split('\u0000');
  const [lastingBefore = '', lastingAfter = ''] = words.lasting('\u0000').split('\u0000');
  return (
    <section class={`verdict is-${level}`} aria-label={words.verdictLabel}>
      <div class="verdict-word">
        <Shape level={level} />
        <div>
          <strong>{levelWord(words, level)}</strong>
          <span class="number since">
            {before}
            <Moment at={sinceMs} />
            {after}
          </span>
          <span class="number since">
            {lastingBefore}
            <Lasting since={sinceMs} />
            {lastingAfter}
          </span>
        </div>
      </div>
      <div class="verdict-why">
        {/* Only what changes rarely is read out: never the running age. */}
        <p class="verdict-sentence" aria-live="polite" aria-atomic="true">
          <span class="unseen">{levelWord(words, level)} </span>
          {problem === undefined ? (
            plainSentence(words, model)
          ) : (
            <>
              {explain(problem.code).title}
              <span class="aside">
                {problem.component === 'agent' ? words.agent : problem.component}
                <code>{problem.code}</code>
              </span>
            </>
          )}
        </p>
        {problem === undefined ? null : <Advice problem={problem} />}
        {problem !== undefined && others > 0 ? <p class="muted">{words.moreProblems(others)}</p> : null}
      </div>
    </section>
  );
}
