// One session for a public key, remembered across reloads.

import { Refused } from "./api.js";

export class Session {
  #api;
  #publicKey;

  constructor(api, publicKey) {
    this.#api = api;
    this.#publicKey = publicKey;
    api.renew = () => this.#renew();
  }

  /** Opens a session, going on with the conversation of the last one where the server still knows it. */
  async open() {
    const known = this.#remembered();
    try {
      return await this.#post(known);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401 || known === null) throw error;
      return this.#post(null);
    }
  }

  async #post(sessionToken) {
    const body = { publicKey: this.#publicKey, locale: navigator.language.slice(0, 16) };
    const answer = await this.#api.open(sessionToken === null ? body : { ...body, sessionToken });
    this.#api.token = answer.body.sessionToken;
    this.#remember(answer.body.sessionToken);
    return answer.body;
  }

  /** An hour is over: the same conversation under a new token. False when it cannot go on; then only a reload starts afresh. */
  async #renew() {
    try {
      await this.#post(this.#api.token);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return false;
      throw error;
    }
  }

  get #place() {
    return `baton.session.${this.#publicKey}`;
  }

  // A browser may forbid storage; the page then works, and a reload starts afresh.
  #remembered() {
    try {
      return localStorage.getItem(this.#place);
    } catch {
      return null;
    }
  }

  #remember(token) {
    try {
      localStorage.setItem(this.#place, token);
    } catch {
      /* see above */
    }
  }
}
