// What the page does: opens the conversation, sends, and follows the run so that what happens by itself is seen.

import { freshKey } from "./api.js";
import { insist } from "./retry.js";
import { isOver } from "./store.js";

const MOVED_ON = {
  expired: "That came after the time was up, so it was not taken.",
  used: "That question has been answered already.",
};

/** How long a turn is waited for: then what was said so far is shown, and the run is followed. */
const SOON = "wait=1";

export class Conversation {
  #api;
  #session;
  #store;
  #memory;
  #following = null;

  constructor(api, session, store, memory) {
    this.#api = api;
    this.#session = session;
    this.#store = store;
    this.#memory = memory;
  }

  /** Opens the session; goes on where an earlier visit stopped, else shows what can be started. */
  async open() {
    const session = await this.#insist(() => this.#session.open());
    const path = `/messages?conversationId=${encodeURIComponent(session.conversationId)}`;
    const thread = await this.#insist(() => this.#api.get(path));
    this.#store.update({ session });
    this.#store.showThread(thread.body.messages, this.#memory.said);
    const [newest] = session.openExecutions;
    if (newest === undefined) {
      this.#store.update({ phase: "picking" });
    } else {
      // An intent is named as its flow unless its author says otherwise; enough to show its name and colour again.
      this.#store.update({ intent: session.intents.find((intent) => intent.name === newest.scenario?.id) ?? null });
      this.#store.take(newest);
      this.#follow(newest.executionId);
    }
  }

  /** Starts an intent with the person's first words. */
  start(intent, text) {
    this.#store.update({ intent });
    return this.#send({ text, intentName: intent.name }, [text]);
  }

  /** Answers the open wait with {values} or {text}; `lines` say it as the log shows it. */
  answer(input, lines) {
    const { waitToken, executionId } = this.#store.state.reply;
    if (input.values) this.#store.update({ filled: input.values });
    return this.#send({ waitToken, executionId, ...input }, lines);
  }

  /** Stores a file and gives its reference, which is what an upload field's value is. */
  async upload(field, file) {
    const form = new FormData();
    form.append("file", file);
    const { executionId } = this.#store.state.reply;
    const path = `/uploads?field=${encodeURIComponent(field)}&executionId=${encodeURIComponent(executionId)}`;
    return (await this.#api.post(path, form)).body;
  }

  /** Ends the run at the person's wish. */
  async leave() {
    const { executionId } = this.#store.state.reply;
    const key = freshKey();
    this.#stop();
    try {
      const answer = await this.#insist(() => this.#api.post(`/executions/${executionId}/cancel`, {}, withKey(key)));
      this.#store.take(answer.body.reply);
    } catch (error) {
      this.#store.note(error.message);
      this.#follow(executionId);
    }
  }

  /** Back to what can be started; what was said stays above. */
  startAgain() {
    this.#store.update({ phase: "picking", reply: null, intent: null, problems: null, filled: {} });
  }

  async #send(body, lines) {
    if (this.#store.state.sending) return;
    // One key for one send: a repeat after a lost answer is the same send, and the server does it once.
    const key = freshKey();
    this.#stop();
    this.#store.update({ sending: true, problems: null });
    this.#store.say(key, lines);
    try {
      const answer = await this.#insist(() => this.#api.post("/messages", body, { headers: { ...withKey(key).headers, Prefer: SOON } }));
      this.#store.confirm(key);
      this.#memory.keepSaid(answer.body.reply.turnId, lines);
      this.#store.take(answer.body.reply);
    } catch (error) {
      this.#store.unsay(key);
      this.#explain(error);
    }
    const { reply } = this.#store.state;
    if (reply !== null && !isOver(reply)) this.#follow(reply.executionId);
  }

  #explain(error) {
    if (error.code === "invalid_wait_token" && error.details.current) {
      this.#store.note(MOVED_ON[error.details.reason] ?? "The conversation has moved on.");
      this.#store.take(error.details.current);
    } else if (Array.isArray(error.details?.errors)) {
      this.#store.update({ sending: false, problems: byField(error.details.errors) });
    } else {
      // 410 too: following the run finds how it ended.
      this.#store.update({ sending: false, problems: { fields: {}, general: [error.message] } });
    }
  }

  #insist(attempt, signal) {
    return insist(attempt, (trouble) => this.#store.update({ trouble }), signal);
  }

  #stop() {
    this.#following?.abort();
    this.#following = null;
  }

  /** Looks at the run until it has ended: first as it is, then held by the server until it changes. */
  async #follow(executionId) {
    this.#stop();
    const following = new AbortController();
    this.#following = following;
    let etag = null;
    while (!following.signal.aborted) {
      try {
        const answer = await this.#insist(() => this.#look(executionId, etag, following.signal), following.signal);
        if (following.signal.aborted) return;
        etag = answer.headers.get("ETag") ?? etag;
        if (answer.status === 304) continue;
        this.#store.take(answer.body.reply);
        if (isOver(answer.body.reply)) return;
      } catch (error) {
        if (!following.signal.aborted) this.#store.note(error.message);
        return;
      }
    }
  }

  #look(executionId, etag, signal) {
    const path = `/executions/${encodeURIComponent(executionId)}`;
    if (etag === null) return this.#api.get(path, { signal });
    return this.#api.get(`${path}?wait=25`, { signal, headers: { "If-None-Match": etag } });
  }
}

function withKey(key) {
  return { headers: { "Idempotency-Key": key } };
}

/** Errors by the field they point at; `/values/email` is the field email, anything else concerns the answer as a whole. */
function byField(errors) {
  const problems = { fields: {}, general: [] };
  for (const { field, message } of errors) {
    const [, root, name] = String(field ?? "").split("/");
    if (root === "values" && name) (problems.fields[unescaped(name)] ??= []).push(message);
    else problems.general.push(message);
  }
  return problems;
}

function unescaped(segment) {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}
