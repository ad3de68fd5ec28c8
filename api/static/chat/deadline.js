// The deadline of the open wait, said calmly: a time of day, and a countdown once it is near.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "Answers until 14:05 · 4:58 left"; both moments are in milliseconds by the same clock. */
export function describeDeadline(deadline, now, verb = "Answers until") {
  const left = deadline - now;
  if (left <= 0) return "The time is up.";
  const when = new Date(deadline);
  const sameDay = when.toDateString() === new Date(now).toDateString();
  const clock = when.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  const day = sameDay ? "" : `${when.toLocaleDateString(undefined, left < 6 * DAY ? { weekday: "long" } : { day: "numeric", month: "long" })}, `;
  return `${verb} ${day}${clock}${left < HOUR ? ` · ${countdown(left)} left` : ""}`;
}

function countdown(left) {
  const seconds = Math.ceil(left / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Keeps the element saying the deadline of the store's reply; `skew` gives how far the server's clock is ahead of ours. */
export function tick(element, store, skew) {
  let timer = null;
  const show = () => {
    clearTimeout(timer);
    const { reply, phase } = store.state;
    const deadline = phase === "talking" && reply?.waitExpiresAt ? Date.parse(reply.waitExpiresAt) : null;
    element.hidden = deadline === null;
    if (deadline === null) return;
    const now = Date.now() + skew();
    const said = describeDeadline(deadline, now, reply.status === "waiting_time" ? "Goes on by" : "Answers until");
    if (element.textContent !== said) element.textContent = said;
    const left = deadline - now;
    // On the second while it counts down; else now and then, for the hour may begin and a sleeping laptop wake.
    if (left > 0) timer = setTimeout(show, left < HOUR ? left % 1000 || 1000 : MINUTE);
  };
  store.addEventListener("change", show);
  document.addEventListener("visibilitychange", show);
  show();
}
