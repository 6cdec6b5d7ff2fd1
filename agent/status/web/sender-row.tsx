import type { SenderStatus } from '../../intake/source.ts';
import type { Text } from '../text.ts';
import { whole } from './format.ts';
import { explain, text } from './language.ts';
import { AgeAndTime, State } from './parts.tsx';

function SenderState({ sender, flagged, words }: { sender: SenderStatus; flagged: boolean; words: Text }) {
  if (flagged && sender.problem !== undefined) {
    return (
      <State level="attention">
        {explain(sender.problem.code).title} <code>{sender.problem.code}</code> {sender.problem.said}
      </State>
    );
  }
  if (sender.connections === undefined) return <span class="muted">—</span>;
  if (sender.connections === 0) return <span class="muted">{words.offline}</span>;
  return (
    <span class="nowrap">
      <State level="ok">{words.online(whole(sender.connections))}</State>
    </span>
  );
}

/** Today's answers by their code, most first; none where all messages were answered as the last one. */
function acksOf({ acksToday = {}, lastAck, messagesToday }: SenderStatus): Array<[string, number]> {
  const all = Object.entries(acksToday).sort(([, a], [, b]) => b - a);
  const [[code, count] = []] = all;
  return all.length === 1 && code === lastAck && count === messagesToday ? [] : all;
}

/** One address: when it last sent, how much today, how that was answered, and whether it is there. */
export function SenderRow({ sender, flagged }: { sender: SenderStatus; flagged: boolean }) {
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
      <td class="wide" data-label={words.lastAck}>
        <span class="stacked">
          <span class="mono">{sender.lastAck ?? '—'}</span>
          {acksOf(sender).map(([code, count]) => (
            <small key={code} class="muted number nowrap">
              {words.ackToday(code, whole(count))}
            </small>
          ))}
        </span>
      </td>
      <td class="wide" data-label={words.state}>
        <SenderState sender={sender} flagged={flagged} words={words} />
      </td>
    </tr>
  );
}
