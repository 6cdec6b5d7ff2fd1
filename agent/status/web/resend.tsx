import { useState } from 'preact/hooks';
import type { Resent } from '../../store/image-contract.ts';
import { notResentWord } from '../study-words.ts';
import { explain, text } from './language.ts';
import { State } from './parts.tsx';
import { Refused } from './search.ts';
import { resendStudy } from './study-api.ts';

/** Sends a study again, after a question. */
export function Resend({ study }: { study: number }) {
  const words = text.value;
  const [asking, setAsking] = useState(false);
  const [answer, setAnswer] = useState<Resent | { refused: string | undefined }>();
  const send = async (): Promise<void> => {
    setAsking(false);
    try {
      setAnswer(await resendStudy(study));
    } catch (error) {
      setAnswer({ refused: error instanceof Refused ? error.code : undefined });
    }
  };
  return (
    <div class="resend">
      {asking ? (
        <>
          <span>{words.resendAsk(study)}</span>
          <button type="button" class="plain-button" onClick={() => void send()}>
            {words.resendYes}
          </button>
          <button type="button" class="plain-button" onClick={() => setAsking(false)}>
            {words.resendNo}
          </button>
        </>
      ) : (
        <button type="button" class="plain-button" onClick={() => setAsking(true)}>
          {words.resend}
        </button>
      )}
      <span role="status">{answer === undefined || asking ? null : <Answer answer={answer} />}</span>
    </div>
  );
}

function Answer({ answer }: { answer: Resent | { refused: string | undefined } }) {
  const words = text.value;
  if ('refused' in answer) {
    const { refused } = answer;
    return <State level="attention">{refused === undefined ? words.resendFailed : explain(refused).title}</State>;
  }
  return (
    <>
      <State level={answer.resent > 0 ? 'ok' : 'attention'}>
        {answer.resent > 0 ? words.imagesResent(answer.resent) : words.nothingResent}
      </State>
      {answer.rest.map(({ platform, why, count }) => (
        <div key={`${platform} ${why}`}>{words.notResentLine(platform, count, notResentWord(words, why))}</div>
      ))}
    </>
  );
}
