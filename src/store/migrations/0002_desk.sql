-- What holding brought or cost, how far prices went, what a book remembers besides money, and what indicators remember.

ALTER TABLE books ADD COLUMN carried INTEGER NOT NULL DEFAULT 0;
ALTER TABLE books ADD COLUMN memory TEXT NOT NULL DEFAULT '{}';

-- Zero stands for a position or trade from before this was kept.
ALTER TABLE positions ADD COLUMN carried INTEGER NOT NULL DEFAULT 0;
ALTER TABLE positions ADD COLUMN best INTEGER NOT NULL DEFAULT 0;
ALTER TABLE positions ADD COLUMN worst INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trades ADD COLUMN carried INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trades ADD COLUMN best INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trades ADD COLUMN worst INTEGER NOT NULL DEFAULT 0;

ALTER TABLE marks ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;

-- A reset cuts a day in two, and each part keeps its own result.
ALTER TABLE days RENAME TO days_before;
CREATE TABLE days (
  book     TEXT NOT NULL,
  day      TEXT NOT NULL,
  part     INTEGER NOT NULL,
  start    INTEGER NOT NULL,
  "end"    INTEGER NOT NULL,
  realised INTEGER NOT NULL,
  fees     INTEGER NOT NULL,
  trades   INTEGER NOT NULL,
  PRIMARY KEY (book, day, part)
) WITHOUT ROWID;
INSERT INTO days SELECT book, day, 0, start, "end", realised, fees, trades FROM days_before;
DROP TABLE days_before;

CREATE INDEX trades_book ON trades (book, id);
CREATE INDEX trades_closed ON trades (closed_ms, id);
CREATE INDEX journal_cycle ON journal (cycle);
CREATE INDEX journal_states ON journal (seq)
  WHERE kind IN ('trading_halted', 'trading_reduced', 'trading_resumed', 'engine_recovered');
CREATE INDEX journal_raised ON journal (book) WHERE kind = 'signal_raised';
CREATE INDEX journal_measured ON journal (book) WHERE kind = 'signal_measured';
CREATE INDEX journal_regimes ON journal (book, symbol, seq) WHERE kind = 'regime_switched';
CREATE INDEX journal_finished ON journal (cycle) WHERE kind = 'replay_finished';

CREATE TABLE bookings (
  id     INTEGER PRIMARY KEY,
  book   TEXT NOT NULL,
  symbol TEXT NOT NULL,
  kind   TEXT NOT NULL,
  amount INTEGER NOT NULL,
  at_ms  INTEGER NOT NULL
);

-- The latest risk figures of each book, as the engine computed them, for views.
CREATE TABLE figures (
  book  TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  body  TEXT NOT NULL
) WITHOUT ROWID;

-- The memory of strategies, prices and feed after one cycle: a restart goes on from there and reads only what came later.
CREATE TABLE brains (
  key   TEXT PRIMARY KEY,
  cycle INTEGER NOT NULL,
  body  TEXT NOT NULL
) WITHOUT ROWID;
