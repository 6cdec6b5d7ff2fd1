import { useRef } from 'preact/hooks';
import type { Level, MessageRow } from '../model.ts';
import type { Text } from '../text.ts';
import { size, whole } from './format.ts';
import { explain, text } from './language.ts';
import { messages, messagesFailed } from './live.ts';
import { AgeAndTime, Empty, State, useHold } from './parts.tsx';
import { createSearch, Refused } from './search.ts';
import { SearchForm } from './search-form.tsx';

/** The term travels in the body: it is patient data, and addresses are kept by browsers. */
const search = createSearch(async (by, term): Promise<MessageRow[]> => {
  const answer = await fetch('/api/v1/messages/search', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ by, term }),
  });
  if (!answer.ok) throw new Refused(((await answer.json().catch(() => ({}))) as { code?: string }).code);
  return ((await answer.json()) as { messages: MessageRow[] }).messages;
});

type PlatformState = MessageRow['states'][number];

function word(words: Text, { state, by, code }: PlatformState): [Level | undefined, string] {
  switch (state) {
    case 'delivered':
      return ['ok', words.delivered];
    case 'waiting':
      return [undefined, code === undefined ? words.waiting : words.held];
    case 'filtered':
      return [undefined, words.filtered];
    case 'quarantined':
      return ['attention', words.quarantined];
    case 'absorbed':
      return [undefined, by === undefined ? words.absorbed : words.absorbedBy(by)];
  }
}

function AtPlatform({ at, words }: { at: PlatformState; words: Text }) {
  const [level, state] = word(words, at);
  return (
    <div class="at-platform">
      {level === undefined ? <span>{state}</span> : <State level={level}>{state}</State>}
      {at.platform === '' || at.platform === 'none' ? null : <span class="muted">{at.platform}</span>}
      {at.code === undefined ? null : (
        <span>
          <code>{at.code}</code> {explain(at.code).title}
        </span>
      )}
      {at.rule === undefined ? null : <code>{at.rule}</code>}
    </div>
  );
}

function Row({ row }: { row: MessageRow }) {
  const words = text.value;
  return (
    <tr>
      <th scope="row" class="right number">
        {row.seq}
      </th>
      <td data-label={words.source}>{row.source}</td>
      <td class="mono" data-label={words.type}>
        {row.type}
      </td>
      <td class="wide" data-label={words.time}>
        <AgeAndTime at={row.receivedMs} />
      </td>
      <td class="right number" data-label={words.size}>
        {size(row.bytes)}
      </td>
      <td class="wide" data-label={words.stateAtPlatform}>
        {row.states.length === 0 ? <span class="muted">{words.notMappedYet}</span> : null}
        {row.states.map((at) => (
          <AtPlatform key={at.platform} at={at} words={words} />
        ))}
      </td>
    </tr>
  );
}

export function Messages() {
  const words = text.value;
  const { holding, area } = useHold();
  const top = useRef(Number.MAX_SAFE_INTEGER);
  const all = messages.value;
  if (!holding) top.current = all?.[0]?.seq ?? 0;
  const found = search.found.value;
  const newest = (all ?? []).filter((row) => row.seq <= top.current);
  const rows = found ?? newest;
  const held = (all?.length ?? 0) - newest.length;
  // Nothing is said of what was found before there is an answer.
  const unanswered = found?.length === 0 && search.state.value !== 'idle';
  const newestNote = held > 0 ? words.messagesHeld(whole(held)) : words.messagesNote;
  const note = found === undefined ? newestNote : unanswered ? '' : words.foundMessages(found.length);
  return (
    <section class="card messages" aria-labelledby="messages-title" {...area}>
      <h2 id="messages-title">
        {words.messages} <small class="muted">{note}</small>
      </h2>
      {messagesFailed.value ? (
        <p class="notice">
          <State level="unknown">{words.messagesFailed}</State>
        </p>
      ) : null}
      {all === undefined || all.length === 0 ? null : (
        <SearchForm
          search={search}
          label={words.searchMessages}
          kinds={[
            ['report', words.byReport],
            ['patient', words.byPatientNumber],
            ['name', words.byName],
            ['visit', words.byVisit],
            ['order', words.byOrder],
            ['specimen', words.bySpecimen],
          ]}
          hint={words.searchMessageTerm}
          follows={messages}
        />
      )}
      {found?.length === 0 && !unanswered ? <Empty what={words.noMessageFound} why={words.noMessageFoundWhy} /> : null}
      {all !== undefined && all.length === 0 ? <Empty what={words.noMessages} why={words.noMessagesWhy} /> : null}
      {rows.length === 0 ? null : (
        <table aria-labelledby="messages-title">
          <thead>
            <tr>
              <th scope="col" class="right">
                {words.seq}
              </th>
              {[words.source, words.type, words.time].map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
              <th scope="col" class="right">
                {words.size}
              </th>
              <th scope="col">{words.stateAtPlatform}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.seq} row={row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
