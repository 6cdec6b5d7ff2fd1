import type { Problem } from '../model.ts';
import { whole } from './format.ts';
import { explain, text } from './language.ts';
import { AgeAndTime, Empty, levelWord, Moment, Shape, useHeldOrder, useHold } from './parts.tsx';

const keyOf = (p: Problem): string => `${p.code}|${p.component}|${p.where ?? ''}`;

function ProblemRow({ problem }: { problem: Problem }) {
  const words = text.value;
  const { title, cause, fix } = explain(problem.code);
  const component = problem.component === 'agent' ? words.agent : problem.component;
  return (
    <details class={`problem is-${problem.level}`}>
      <summary>
        <Shape level={problem.level} />
        <span class="unseen">{levelWord(words, problem.level)}</span>
        <span class="problem-title">
          {title}
          <small>
            <code>{problem.code}</code> {component}
            {problem.where === undefined ? null : <span class="mono"> · {problem.where}</span>}
          </small>
        </span>
        <span class="number problem-count">{problem.count > 1 ? words.affected(whole(problem.count)) : ''}</span>
        <span class="problem-since">
          <AgeAndTime at={problem.sinceMs} />
        </span>
        <svg class="chevron" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
          <path d="M5 3l5 5-5 5" />
        </svg>
      </summary>
      <dl class="explained">
        <dt>{words.cause}</dt>
        <dd>{cause}</dd>
        <dt>{words.fix}</dt>
        <dd>{fix}</dd>
        {problem.where === undefined ? null : (
          <>
            <dt>{words.where}</dt>
            <dd class="mono">{problem.where}</dd>
          </>
        )}
        <dt>{words.lastSeen}</dt>
        <dd class="number">
          <Moment at={problem.lastMs} />
        </dd>
        {problem.exampleSeq === undefined ? null : (
          <>
            <dt>{words.example}</dt>
            <dd class="number">{problem.exampleSeq}</dd>
          </>
        )}
        {problem.exampleStudy === undefined ? null : (
          <>
            <dt>{words.exampleStudy}</dt>
            <dd class="number">{problem.exampleStudy}</dd>
          </>
        )}
      </dl>
    </details>
  );
}

export function Problems({ problems }: { problems: Problem[] }) {
  const words = text.value;
  const { holding, area } = useHold();
  const rows = useHeldOrder(problems, keyOf, holding);
  return (
    <section class="card problems" aria-labelledby="problems-title" {...area}>
      <h2 id="problems-title">
        {words.problems}
        {rows.length > 0 ? <span class="muted number"> {rows.length}</span> : null}
      </h2>
      {rows.length === 0 ? (
        <Empty what={words.noProblems} why={words.noProblemsWhy} />
      ) : (
        <ul>
          {rows.map((problem) => (
            <li key={keyOf(problem)}>
              <ProblemRow problem={problem} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
