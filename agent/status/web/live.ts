import { computed, signal } from '@preact/signals';
import type { MessageRow, ShownStudy, StatusModel } from '../model.ts';
import { adopt } from './language.ts';

/** After this long without a sign of life the page says that its data is old. */
const staleAfterMs = 5000;
const messagesGapMs = 2000;
const retryMs = 3000;
const messageCount = 20;

export const model = signal<StatusModel | undefined>(undefined);
export const messages = signal<MessageRow[] | undefined>(undefined);
/** Where images come in. */
export const studies = signal<ShownStudy[] | undefined>(undefined);
/** Whether the lists could not be read. */
export const messagesFailed = signal(false);
export const stale = signal(false);
export const connected = signal(false);

/** Agent's wall clock at the last sign of life, and our monotonic clock at that moment. */
let agentMs = 0;
let heardAt = performance.now();
const lastHeardMs = signal<number | undefined>(undefined);
/** The agent's time as of which the page's data is known to hold. */
export const dataMs = computed(() => lastHeardMs.value ?? model.value?.atMs);
/** The agent's clock now; stands still while the data is stale, so that ages freeze. */
export const nowMs = signal(0);

function heard(atMs: number): void {
  agentMs = atMs;
  heardAt = performance.now();
  lastHeardMs.value = atMs;
  nowMs.value = atMs;
  connected.value = true;
  stale.value = false;
}

let messagesDue = false;
let messagesBusy = false;

async function loadMessages(): Promise<void> {
  if (messagesBusy) {
    messagesDue = true;
    return;
  }
  messagesBusy = true;
  messagesDue = false;
  try {
    const answer = await fetch(`/api/v1/messages?limit=${messageCount}`);
    if (!answer.ok) throw new Error(String(answer.status));
    messages.value = ((await answer.json()) as { messages: MessageRow[] }).messages;
    if (model.value?.images) {
      const found = await fetch(`/api/v1/studies?limit=${messageCount}`);
      if (!found.ok) throw new Error(String(found.status));
      studies.value = ((await found.json()) as { studies: ShownStudy[] }).studies;
    }
    messagesFailed.value = false;
  } catch {
    messagesFailed.value = true;
    messagesDue = true;
  }
  setTimeout(() => {
    messagesBusy = false;
    if (messagesDue && connected.value) void loadMessages();
  }, messagesGapMs);
}

function connect(): void {
  const events = new EventSource('/api/v1/events');
  events.addEventListener('status', (event) => {
    const next = JSON.parse((event as MessageEvent<string>).data) as StatusModel;
    if (model.value === undefined) adopt(next.site.language);
    model.value = next;
    heard(next.atMs);
    void loadMessages();
  });
  events.addEventListener('tick', (event) => {
    heard((JSON.parse((event as MessageEvent<string>).data) as { atMs: number }).atMs);
  });
  events.addEventListener('error', () => {
    connected.value = false;
    // A browser gives up for good on an answer that is no stream (503, a proxy): begin again ourselves.
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, retryMs);
  });
}

function beat(): void {
  const quiet = performance.now() - heardAt;
  if (quiet > staleAfterMs) {
    stale.value = true;
    // What is on the page was last known to hold then: ages stop there, not five seconds later.
    nowMs.value = agentMs;
    connected.value = false;
  }
  if (!stale.value && agentMs > 0) nowMs.value = agentMs + quiet;
}

/** Opens the stream and lets the clock run. Call once. */
export function goLive(): void {
  connect();
  setInterval(beat, 500);
}
