/** How events name a connection or request. */
export interface ConnectionNames {
  readonly app: string;
  readonly handler: string;
  readonly connection: string;
}

/** The names of one. */
export function connectionNames(connection: {
  readonly id: string;
  readonly settings: { readonly plan: { readonly app: string; readonly name: string } };
}): ConnectionNames {
  const { app, name: handler } = connection.settings.plan;
  return { app, handler, connection: connection.id };
}
