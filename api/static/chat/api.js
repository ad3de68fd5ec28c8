// The chat surface over fetch: one call, one answer, or one of two errors that say what became of it.

const BASE = "/api/public/v1/chat";
/** What only a server in `--dev` has: the same session opens it. */
const DEV = "/dev/";
// A POST may take 25 s and a long poll as much; past this the connection is taken for dead.
const PATIENCE = 45_000;

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(status, body, headers) {
    super(body?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body?.error ?? "unknown";
    this.details = body?.details ?? {};
    this.retryAfter = Number.parseFloat(headers.get("Retry-After")) || null;
  }
}

/** No answer came; whether the request arrived is unknown. */
export class ConnectionLost extends Error {}

/** A key that no other send has. `crypto.randomUUID` exists on secure origins alone, and a phone on the local network is not one. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Api {
  token = null;
  /** How far the server's clock is ahead of ours, in milliseconds. */
  skew = 0;
  /** Set by the session: gets a new token, and says whether it could. */
  renew = async () => false;

  get(path, options = {}) {
    return this.#authorized("GET", path, options);
  }

  post(path, body, options = {}) {
    return this.#authorized("POST", path, { ...options, body });
  }

  /** A call without a session: the way to get one. */
  open(body) {
    return this.#call("POST", "/sessions", { body });
  }

  async #authorized(method, path, options) {
    const authorization = () => ({ ...options, headers: { ...options.headers, Authorization: `Bearer ${this.token}` } });
    try {
      return await this.#call(method, path, authorization());
    } catch (error) {
      if (error.code !== "invalid_session_token" || !(await this.renew())) throw error;
      return this.#call(method, path, authorization());
    }
  }

  async #call(method, path, { body, headers = {}, signal } = {}) {
    const upload = body instanceof FormData;
    const timeout = AbortSignal.timeout(PATIENCE);
    let response;
    let answer;
    let text;
    try {
      response = await fetch(path.startsWith(DEV) ? path : BASE + path, {
        method,
        headers: body && !upload ? { "Content-Type": "application/json", ...headers } : headers,
        body: upload ? body : body && JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        cache: "no-store",
      });
      text = await response.text();
      answer = text === "" ? null : parsed(text);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ConnectionLost(error.message);
    }
    this.#readClock(response);
    if (!response.ok && response.status !== 304) throw new Refused(response.status, answer, response.headers);
    return { status: response.status, body: answer, text, headers: response.headers };
  }

  #readClock(response) {
    const ahead = Date.parse(response.headers.get("Date")) - Date.now();
    // The header counts whole seconds, so a difference this small says nothing.
    this.skew = Math.abs(ahead) > 2_000 ? ahead : 0;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
