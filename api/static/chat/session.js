// One session for a public key, renewed when its hour is over.

import { Refused } from "./api.js";

export class Session {
  #api;
  #publicKey;
  #memory;

  constructor(api, publicKey, memory) {
    this.#api = api;
    this.#publicKey = publicKey;
    this.#memory = memory;
    api.renew = () => this.#renew();
  }

  /** Opens a session, going on with the conversation of the last one where the server still knows it. */
  async open() {
    const known = this.#memory.token;
    try {
      return await this.#post(known);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401 || known === null) throw error;
      return this.#post(null);
    }
  }

  /** The same conversation under a new token. False when it cannot go on; then only a reload starts afresh. */
  async #renew() {
    try {
      await this.#post(this.#api.token);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return false;
      throw error;
    }
  }

  async #post(sessionToken) {
    const body = { publicKey: this.#publicKey, ...locale(), ...(sessionToken === null ? {} : { sessionToken }) };
    const answer = await this.#api.open(body);
    this.#api.token = answer.body.sessionToken;
    this.#memory.token = answer.body.sessionToken;
    return answer.body;
  }
}

/** The browser's language and region; nothing where it calls them by a name that is no language tag. */
function locale() {
  const [tag] = /^[a-z]{2,8}(-[a-z0-9]{1,7})?/i.exec(navigator.language) ?? [];
  return tag === undefined ? {} : { locale: tag };
}
