/** Every text of the portal, in one place for translation: a language is one folder like `en`.

A name space, not an object: so each page loads the texts that it shows and no others. */
export * as text from "./en/index.ts";
