/** Signing in and out. */
export const session = {
  title: "Sign in to Foveal",
  why: "Your photos and models stay on this server.",
  key: "Key",
  keyHint: "A training key of this server or of your resource. The person who runs the server has it: “foveal keys show” prints it.",
  signIn: "Sign in",
  link: "Or open the link that “foveal serve” prints when it starts; “foveal keys link” prints a new one.",
  opening: "Signing you in…",
  ended: "Your session has ended. Sign in again to go on; nothing was lost on the server.",
} as const;
