-- Amounts are whole numbers of 1e-8, so that SQLite adds them up exactly. Times are milliseconds since 1970 in UTC:
-- market_ms is the market's time, wall_ms the machine's.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- Who runs on this database, for the message to whoever comes second; the lock itself is on a file beside it.
CREATE TABLE lease (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  pid        INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  beat_ms    INTEGER NOT NULL,
  clean      INTEGER NOT NULL
);

CREATE TABLE runs (
  id          INTEGER PRIMARY KEY,
  mode        TEXT NOT NULL,
  feed        TEXT NOT NULL,
  dry_run     INTEGER NOT NULL,
  started_ms  INTEGER NOT NULL,
  ended_ms    INTEGER,
  first_cycle INTEGER NOT NULL,
  last_cycle  INTEGER NOT NULL,
  market_ms   INTEGER,
  outcome     TEXT NOT NULL
);

CREATE TABLE progress (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  cycle     INTEGER NOT NULL,
  market_ms INTEGER NOT NULL,
  signal    INTEGER NOT NULL,
  "order"   INTEGER NOT NULL,
  fill      INTEGER NOT NULL,
  trade     INTEGER NOT NULL
);

CREATE TABLE books (
  name         TEXT PRIMARY KEY,
  currency     TEXT NOT NULL,
  zone         TEXT NOT NULL,
  capital      INTEGER NOT NULL,
  cash         INTEGER NOT NULL,
  realised     INTEGER NOT NULL,
  fees         INTEGER NOT NULL,
  equity       INTEGER NOT NULL,
  peak         INTEGER NOT NULL,
  state        TEXT NOT NULL,
  cause        TEXT NOT NULL,
  since_ms     INTEGER NOT NULL,
  day          TEXT NOT NULL,
  day_ends_ms  INTEGER NOT NULL,
  day_start    INTEGER NOT NULL,
  day_entries  INTEGER NOT NULL,
  day_trades   INTEGER NOT NULL,
  day_near     INTEGER NOT NULL,
  limits       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE positions (
  book          TEXT NOT NULL,
  symbol        TEXT NOT NULL,
  place         INTEGER NOT NULL,
  trade         INTEGER NOT NULL,
  strategy      TEXT NOT NULL,
  quantity      INTEGER NOT NULL,
  cost          INTEGER NOT NULL,
  opened_ms     INTEGER NOT NULL,
  entered       INTEGER NOT NULL,
  entered_value INTEGER NOT NULL,
  exited_value  INTEGER NOT NULL,
  fees          INTEGER NOT NULL,
  protection    TEXT,
  PRIMARY KEY (book, symbol)
) WITHOUT ROWID;

CREATE TABLE orders (
  id         INTEGER PRIMARY KEY,
  book       TEXT NOT NULL,
  symbol     TEXT NOT NULL,
  status     TEXT NOT NULL,
  updated_ms INTEGER NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX orders_open ON orders (status) WHERE status IN ('approved', 'working', 'partly_filled');

CREATE TABLE fills (
  id       INTEGER PRIMARY KEY,
  "order"  INTEGER NOT NULL,
  book     TEXT NOT NULL,
  symbol   TEXT NOT NULL,
  side     TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  price    INTEGER NOT NULL,
  fee      INTEGER NOT NULL,
  slippage INTEGER NOT NULL,
  leg      TEXT NOT NULL,
  at_ms    INTEGER NOT NULL
);

CREATE TABLE trades (
  id          INTEGER PRIMARY KEY,
  book        TEXT NOT NULL,
  symbol      TEXT NOT NULL,
  strategy    TEXT NOT NULL,
  side        TEXT NOT NULL,
  quantity    INTEGER NOT NULL,
  entry_price INTEGER NOT NULL,
  exit_price  INTEGER NOT NULL,
  opened_ms   INTEGER NOT NULL,
  closed_ms   INTEGER NOT NULL,
  fees        INTEGER NOT NULL,
  profit      INTEGER NOT NULL,
  reason      TEXT NOT NULL
);

-- Snapshots: one row a book and day, the last one still moving.
CREATE TABLE days (
  book     TEXT NOT NULL,
  day      TEXT NOT NULL,
  start    INTEGER NOT NULL,
  "end"    INTEGER NOT NULL,
  realised INTEGER NOT NULL,
  fees     INTEGER NOT NULL,
  trades   INTEGER NOT NULL,
  PRIMARY KEY (book, day)
) WITHOUT ROWID;

-- The last price of each symbol, and whether it may be believed.
CREATE TABLE marks (
  symbol        TEXT PRIMARY KEY,
  timeframe     TEXT NOT NULL,
  price         INTEGER NOT NULL,
  at_ms         INTEGER NOT NULL,
  stale_ms      INTEGER,
  lock_before   INTEGER,
  lock_ms       INTEGER,
  lock_sessions INTEGER
) WITHOUT ROWID;

CREATE TABLE watchlist (
  book   TEXT NOT NULL,
  place  INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  name   TEXT NOT NULL,
  class  TEXT NOT NULL,
  sector TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (book, symbol)
) WITHOUT ROWID;

-- Every committed fact, in order.
CREATE TABLE journal (
  seq       INTEGER PRIMARY KEY,
  cycle     INTEGER NOT NULL,
  market_ms INTEGER NOT NULL,
  wall_ms   INTEGER NOT NULL,
  run       INTEGER NOT NULL,
  book      TEXT,
  kind      TEXT NOT NULL,
  severity  TEXT NOT NULL,
  symbol    TEXT,
  "order"   INTEGER,
  body      TEXT NOT NULL
);
CREATE INDEX journal_symbol ON journal (symbol, seq) WHERE symbol IS NOT NULL;
CREATE INDEX journal_order ON journal ("order", seq) WHERE "order" IS NOT NULL;

-- Why strategies did nothing: one row a cycle and strategy.
CREATE TABLE steps (
  cycle     INTEGER NOT NULL,
  book      TEXT NOT NULL,
  strategy  TEXT NOT NULL,
  market_ms INTEGER NOT NULL,
  wall_ms   INTEGER NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (cycle, book, strategy)
) WITHOUT ROWID;

-- Numbers for what is told to people, without gaps.
CREATE TABLE notices (
  number INTEGER PRIMARY KEY,
  seq    INTEGER NOT NULL
);

CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY,
  notice     INTEGER NOT NULL,
  lane       TEXT NOT NULL,
  priority   INTEGER NOT NULL,
  state      TEXT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  due_ms     INTEGER NOT NULL DEFAULT 0,
  repeated   INTEGER NOT NULL DEFAULT 0,
  verdict    TEXT,
  created_ms INTEGER NOT NULL,
  settled_ms INTEGER
);
CREATE INDEX outbox_open ON outbox (lane, priority DESC, id) WHERE state = 'pending';
CREATE INDEX outbox_state ON outbox (lane, state);

CREATE TABLE inbox (
  id          INTEGER PRIMARY KEY,
  channel     TEXT NOT NULL,
  update_key  TEXT NOT NULL,
  person      TEXT NOT NULL,
  text        TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  state       TEXT NOT NULL,
  reply       TEXT,
  answered_ms INTEGER,
  UNIQUE (channel, update_key)
);
CREATE INDEX inbox_open ON inbox (id) WHERE state = 'new';

CREATE TABLE pins (
  person          TEXT PRIMARY KEY,
  hash            TEXT NOT NULL,
  wrong           INTEGER NOT NULL,
  lockouts        INTEGER NOT NULL,
  locked_until_ms INTEGER NOT NULL,
  set_ms          INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE controls (
  id         INTEGER PRIMARY KEY,
  person     TEXT NOT NULL,
  chat       TEXT NOT NULL,
  control    TEXT NOT NULL,
  shown_on   TEXT NOT NULL,
  shown_ms   INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  status     TEXT NOT NULL,
  result     TEXT
);
CREATE INDEX controls_open ON controls (id) WHERE status IN ('shown', 'confirmed');

CREATE TABLE audit (
  seq      INTEGER PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  person   TEXT NOT NULL,
  channel  TEXT NOT NULL,
  words    TEXT NOT NULL,
  result   TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash     TEXT NOT NULL
);
