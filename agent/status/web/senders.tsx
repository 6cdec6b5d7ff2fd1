import type { SourceRhythm } from '../../intake/rhythm/keeper.ts';
import type { SenderStatus, SourceStatus } from '../../intake/source.ts';
import type { Level, StatusModel } from '../model.ts';
import type { Text } from '../text.ts';
import { duration, whole } from './format.ts';
import { explain, text } from './language.ts';
import { AgeAndTime, Ago, Empty, State } from './parts.tsx';

function SourceState({ source }: { source: SourceStatus }) {
  const words = text.value;
  const states: Record<SourceStatus['state'], [Level, string]> = {
    listening: ['ok', words.listening(source.address ?? '')],
    starting: ['unknown', words.sourceStarting],
    failed: ['fault', words.sourceFailed],
    stopped: ['paused', words.sourceStopped],
  };
  const [level, word] = states[source.state];
  return (
    <State level={level}>
      {word}
      {source.problem === undefined ? null : (
        <>
          {' '}
          <code>{source.problem.code}</code> {explain(source.problem.code).title}
        </>
      )}
    </State>
  );
}

function SenderState({ sender, flagged, words }: { sender: SenderStatus; flagged: boolean; words: Text }) {
  if (flagged && sender.problem !== undefined) {
    return (
      <State level="attention">
        {explain(sender.problem.code).title} <code>{sender.problem.code}</code> {sender.problem.said}
      </State>
    );
  }
  if (sender.connections === 0) return <span class="muted">{words.offline}</span>;
  return <State level="ok">{words.online(whole(sender.connections))}</State>;
}

function SenderRow({ sender, flagged }: { sender: SenderStatus; flagged: boolean }) {
  const words = text.value;
  return (
    <tr>
      <th scope="row" class="mono">
        {sender.address}
      </th>
      <td class="wide" data-label={words.lastMessage}>
        {sender.lastMessageMs === undefined ? (
          <span class="muted">{words.lastNever}</span>
        ) : (
          <AgeAndTime at={sender.lastMessageMs} />
        )}
      </td>
      <td class="right number" data-label={words.today}>
        {whole(sender.messagesToday)}
      </td>
      <td class="mono" data-label={words.lastAck}>
        {sender.lastAck ?? '—'}
      </td>
      <td class="wide" data-label={words.state}>
        <SenderState sender={sender} flagged={flagged} words={words} />
      </td>
    </tr>
  );
}

/** The busiest types of today; a source has few. */
const TYPES_SHOWN = 4;

/** `seen`: a sender below tells when the last message came; after a restart none does. */
function SourceRhythmLine({
  rhythm,
  flagged,
  seen,
}: {
  rhythm: SourceRhythm | undefined;
  flagged: boolean;
  seen: boolean;
}) {
  const words = text.value;
  if (rhythm === undefined) return null;
  const usual = rhythm.usualMs === undefined ? undefined : duration(words, rhythm.usualMs);
  const nothing = rhythm.known ? words.usuallyNothing : words.stillLearning;
  const quiet = duration(words, rhythm.quietMs);
  return (
    <>
      {flagged ? (
        <State level="attention">
          {usual === undefined ? words.quietForOnly(quiet) : words.quietFor(usual, quiet)} <code>HL7-2120</code>
        </State>
      ) : (
        <span class="muted number">{usual === undefined ? nothing : words.usualGap(usual)}</span>
      )}
      {rhythm.lastMs === undefined || seen ? null : (
        <span class="muted number">
          {words.lastMessage} <Ago at={rhythm.lastMs} />
        </span>
      )}
      {rhythm.types.slice(0, TYPES_SHOWN).map(({ type, count }) => (
        <span key={type} class="muted number">
          {words.typeToday(type, whole(count))}
        </span>
      ))}
    </>
  );
}

const byAddress = (a: SenderStatus, b: SenderStatus): number => (a.address < b.address ? -1 : 1);

export function Senders({ model }: { model: StatusModel }) {
  const words = text.value;
  const { sources } = model;
  const listening = sources.filter((s) => s.senders.length === 0 && s.address !== undefined);
  const none = sources.every((s) => s.senders.length === 0);
  // The verdict decides which sender problems count; the table follows it.
  const flagged = (source: SourceStatus, sender: SenderStatus): boolean =>
    model.problems.some((p) => p.component === source.name && p.where === sender.address);
  const rhythmOf = (name: string): SourceRhythm | undefined => model.rhythms?.find((r) => r.source === name);
  const silent = (name: string): boolean =>
    model.problems.some((p) => p.component === name && p.code === 'HL7-2120' && p.where === undefined);
  const resent = (name: string): number =>
    model.store.receivedToday.find((r) => r.source === name)?.retransmissions ?? 0;
  return (
    <section class="card senders" aria-labelledby="senders-title">
      <h2 id="senders-title">{words.senders}</h2>
      {sources.length === 0 ? (
        <Empty what={words.noSources} />
      ) : (
        <table aria-labelledby="senders-title">
          <thead>
            <tr>
              <th scope="col">{words.sender}</th>
              <th scope="col">{words.lastMessage}</th>
              <th scope="col" class="right">
                {words.today}
              </th>
              <th scope="col">{words.lastAck}</th>
              <th scope="col">{words.state}</th>
            </tr>
          </thead>
          {sources.map((source) => (
            <tbody key={source.name}>
              <tr class="group">
                <th scope="rowgroup" colSpan={5}>
                  <span class="group-line">
                    <span>{source.name}</span>
                    <SourceState source={source} />
                    <SourceRhythmLine
                      rhythm={rhythmOf(source.name)}
                      flagged={silent(source.name)}
                      seen={source.senders.some((s) => s.lastMessageMs !== undefined)}
                    />
                    {source.refusedConnections > 0 ? (
                      <span class="muted number">{words.refused(whole(source.refusedConnections))}</span>
                    ) : null}
                    {resent(source.name) > 0 ? (
                      <span class="muted number">{words.resent(whole(resent(source.name)))}</span>
                    ) : null}
                  </span>
                </th>
              </tr>
              {[...source.senders].sort(byAddress).map((sender) => (
                <SenderRow key={sender.address} sender={sender} flagged={flagged(source, sender)} />
              ))}
            </tbody>
          ))}
        </table>
      )}
      {none && listening.length > 0 ? (
        <Empty
          what={words.noSenders}
          why={
            <>
              {words.noSendersWhy} <span class="mono">{listening.map((s) => s.address).join(' ')}</span>
            </>
          }
        />
      ) : null}
    </section>
  );
}
