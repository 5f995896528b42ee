/** The shapes of the server, by the names that its own description gives them. */
export type * from "./schema.gen.d.ts";
