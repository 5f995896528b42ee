/** The places of the portal; links are made here and nowhere else. */
const project = (id: string): string => `/projects/${id}`;

export const paths = {
  projects: "/",
  signIn: "/sign-in",
  account: "/account",
  images: (id: string) => `${project(id)}/images`,
  image: (id: string, image: string) => `${project(id)}/images/${image}`,
  label: (id: string) => `${project(id)}/label`,
  performance: (id: string, iteration = "") => `${project(id)}/performance${iteration && `/${iteration}`}`,
  test: (id: string) => `${project(id)}/test`,
  predictions: (id: string) => `${project(id)}/predictions`,
  prediction: (id: string, prediction: string) => `${project(id)}/predictions/${prediction}`,
  settings: (id: string) => `${project(id)}/settings`,
} as const;
