// The part of the sync module that the client uses, as `spacetime generate` writes it for a TypeScript client.

import {
  DbConnectionBuilder,
  DbConnectionImpl,
  SubscriptionBuilderImpl,
  procedures,
  reducerSchema,
  reducers,
  schema,
  t,
  table,
} from "spacetimedb";

const StreamCursor = t.object("StreamCursor", { streamId: t.string(), resumeAfter: t.u64() });

const tables = schema({
  syncEvent: table(
    { name: "sync_event" },
    t.row({
      streamId: t.string().name("stream_id"),
      seq: t.u64(),
      idempotencyKey: t.string().name("idempotency_key"),
      payloadHash: t.string().name("payload_hash"),
      payload: t.string(),
      committedAt: t.timestamp().name("committed_at"),
      confirmedRead: t.bool().name("confirmed_read"),
    }),
  ),
});

const module = {
  versionInfo: { cliVersion: "2.0.0" },
  tables: tables.schemaType.tables,
  reducers: reducers(reducerSchema("resume_stream", { cursors: t.array(StreamCursor) })).reducersType.reducers,
  ...procedures(),
};

class SubscriptionBuilder extends SubscriptionBuilderImpl {}

export class DbConnection extends DbConnectionImpl {
  static builder = () => new DbConnectionBuilder(module, (config) => new DbConnection(config));

  subscriptionBuilder = () => new SubscriptionBuilder(this);
}
