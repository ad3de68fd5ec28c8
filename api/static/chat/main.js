// The chat page of `baton serve --dev`: put together here.

import { Api } from "./api.js";
import { Conversation } from "./conversation.js";
import { tick } from "./deadline.js";
import { Memory } from "./memory.js";
import { Session } from "./session.js";
import { Store } from "./store.js";
import { View } from "./view.js";
import { Way } from "./way.js";

async function publicKey() {
  const answer = await fetch("/dev/config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error("This server does not serve the chat page: it was started without --dev.");
  return (await answer.json()).publicKey;
}

const api = new Api();
const store = new Store();
try {
  const key = await publicKey();
  const memory = new Memory(key);
  const conversation = new Conversation(api, new Session(api, key, memory), store, memory);
  new View(store, conversation);
  new Way(document.getElementById("way"), api, store, memory);
  tick(document.getElementById("deadline"), store, () => api.skew);
  await conversation.open();
} catch (error) {
  document.getElementById("typing").hidden = true;
  document.getElementById("trouble").textContent = `The chat could not be opened: ${error.message}`;
}
