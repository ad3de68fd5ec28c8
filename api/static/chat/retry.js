// Trying again, where trying again can help: the line is down, the server is busy, or we were too fast.

import { ConnectionLost } from "./api.js";

const LONGEST = 10;
const nudges = new EventTarget();

/** Ends every pause now: a person asked for it, or the network is back. */
export function tryNow() {
  nudges.dispatchEvent(new Event("now"));
}

globalThis.addEventListener?.("online", tryNow);

/**
 * The result of `attempt`, repeated until it comes or is refused for good. `tell` hears {reason, seconds} before each pause and null after it.
 * The caller gives every attempt the same Idempotency-Key, so that a request whose answer was lost is not done twice.
 */
export async function insist(attempt, tell, signal) {
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await attempt();
      if (tries > 0) tell(null);
      return result;
    } catch (error) {
      const trouble = signal?.aborted ? null : worthRepeating(error, tries);
      if (trouble === null) {
        if (tries > 0) tell(null);
        throw error;
      }
      tell(trouble);
      await pause(trouble.seconds, signal);
    }
  }
}

function worthRepeating(error, tries) {
  const seconds = Math.min(2 ** tries, LONGEST);
  if (error instanceof ConnectionLost) return { reason: "lost", seconds };
  if (error.status === 429) return { reason: "fast", seconds: error.retryAfter ?? 2 };
  if (error.status === 503) return { reason: "busy", seconds: error.retryAfter ?? seconds };
  if (error.code === "turn_in_progress") return { reason: "busy", seconds: 1 };
  return null;
}

function pause(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() {
      clearTimeout(timer);
      nudges.removeEventListener("now", done);
      resolve();
    }
    nudges.addEventListener("now", done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
