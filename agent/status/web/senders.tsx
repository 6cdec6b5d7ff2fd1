import type { ComponentChildren } from 'preact';
import type { SourceRhythm } from '../../intake/rhythm/keeper.ts';
import type { SenderStatus, SourceStatus } from '../../intake/source.ts';
import type { Level, StatusModel } from '../model.ts';
import { passedOverLine } from '../passed-over.ts';
import { duration, whole } from './format.ts';
import { explain, text } from './language.ts';
import { Ago, Empty, State } from './parts.tsx';
import { SenderRow } from './sender-row.tsx';

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

/** A port under which senders are told apart shows those of its own that sent as nobody else, or trouble it. */
function ownSenders({ senders, under = [] }: SourceStatus, flagged: (sender: SenderStatus) => boolean): SenderStatus[] {
  const elsewhere = new Set(under.flatMap((logical) => logical.senders.map(({ address }) => address)));
  return senders.filter((s) => s.lastMessageMs !== undefined || flagged(s) || !elsewhere.has(s.address));
}

/** The verdict decides which sender problems count; the table follows it. */
const flaggedAt =
  ({ problems }: StatusModel, name: string) =>
  (sender: SenderStatus): boolean =>
    problems.some((p) => p.component === name && p.where === sender.address);

interface GroupParts {
  model: StatusModel;
  name: string;
  senders: SenderStatus[];
  /** Everybody comes under names of their own: it has no rhythm itself. */
  isEmptyPort?: boolean;
  refused?: number;
  children: ComponentChildren;
}

/** One name under which messages come: what is known of it, and of each address that sends as it. */
function Group({ model, name, senders, isEmptyPort = false, refused = 0, children }: GroupParts) {
  const words = text.value;
  const resent = model.store.receivedToday.find((r) => r.source === name)?.retransmissions ?? 0;
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={5}>
          <span class="group-line">
            <span>{name}</span>
            {children}
            {isEmptyPort ? null : (
              <SourceRhythmLine
                rhythm={model.rhythms?.find((r) => r.source === name)}
                flagged={model.problems.some(
                  (p) => p.component === name && p.code === 'HL7-2120' && p.where === undefined,
                )}
                seen={senders.some((s) => s.lastMessageMs !== undefined)}
              />
            )}
            {refused > 0 ? <span class="muted number">{words.refused(whole(refused))}</span> : null}
            {resent > 0 ? <span class="muted number">{words.resent(whole(resent))}</span> : null}
          </span>
        </th>
      </tr>
      {[...senders].sort(byAddress).map((sender) => (
        <SenderRow key={sender.address} sender={sender} flagged={flaggedAt(model, name)(sender)} />
      ))}
    </tbody>
  );
}

/** Of a folder: what lies in it and was not read. Flagged where some of it may be a lost report. */
function PassedOver({ model, source }: { model: StatusModel; source: SourceStatus }) {
  const line = passedOverLine(text.value, source);
  if (line === undefined) return null;
  if (!model.problems.some((p) => p.component === source.name && p.code === 'HL7-2143')) {
    return <span class="muted number">{line}</span>;
  }
  return (
    <State level="attention">
      {line} <code>HL7-2143</code>
    </State>
  );
}

/** A port, and those who are told apart under it. */
function groupsOf(model: StatusModel, source: SourceStatus) {
  const { name, under, refusedConnections } = source;
  const received = (of: string) =>
    model.rhythms?.some((r) => r.source === of && r.lastMs !== undefined) ||
    model.store.receivedToday.some((r) => r.source === of);
  return [
    <Group
      key={name}
      model={model}
      name={name}
      senders={ownSenders(source, flaggedAt(model, name))}
      isEmptyPort={under !== undefined && !received(name)}
      refused={refusedConnections}
    >
      <SourceState source={source} />
      <PassedOver model={model} source={source} />
    </Group>,
    ...(under ?? []).map((logical) => (
      <Group key={logical.name} model={model} name={logical.name} senders={logical.senders}>
        <span class="muted">{text.value.comesThrough(name)}</span>
      </Group>
    )),
  ];
}

export function Senders({ model }: { model: StatusModel }) {
  const words = text.value;
  const { sources } = model;
  const listening = sources.filter((s) => s.senders.length === 0 && s.address !== undefined);
  const none = sources.every((s) => s.senders.length === 0);
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
          {sources.flatMap((source) => groupsOf(model, source))}
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
