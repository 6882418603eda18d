-- The control desk: what a change was shown to do, who else agreed, how it is undone, and what people change over the file.

-- shown_on: what it was shown to do, as JSON. undo: how it is taken back, as JSON; NULL where it cannot be. audit: the row that confirmed it.
-- second: who agreed besides. factors: what it was confirmed by, of each of the two in turn. done_ms: when it was carried out, on the wall clock.
-- undone: the control that took it back, or itself where it is never to be taken back.
ALTER TABLE controls ADD COLUMN undo TEXT;
ALTER TABLE controls ADD COLUMN audit INTEGER;
ALTER TABLE controls ADD COLUMN second TEXT;
ALTER TABLE controls ADD COLUMN factors TEXT;
ALTER TABLE controls ADD COLUMN undone INTEGER;
ALTER TABLE controls ADD COLUMN done_ms INTEGER;
-- The row of the audit that says what came of it.
ALTER TABLE controls ADD COLUMN settled INTEGER;
CREATE INDEX controls_next ON controls (id) WHERE status IN ('confirmed', 'claimed');
CREATE INDEX controls_audit ON controls (audit) WHERE audit IS NOT NULL;
CREATE INDEX controls_settled ON controls (settled) WHERE settled IS NOT NULL;

-- What was shown, where anything was; part of the hash where it is not NULL.
ALTER TABLE audit ADD COLUMN preview TEXT;

-- A row of the audit stays as it is, and the next one comes after the last.
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit are not changed'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'rows of the audit are not deleted'); END;
CREATE TRIGGER audit_grows BEFORE INSERT ON audit WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit)
BEGIN SELECT RAISE(ABORT, 'rows of the audit are only added at its end'); END;

-- The row of the audit that an event comes from; NULL for what nobody asked for.
ALTER TABLE journal ADD COLUMN audit INTEGER;
CREATE INDEX journal_audit ON journal (audit, seq) WHERE audit IS NOT NULL;

-- What filled of an order is looked for when somebody takes it back, or asks why.
CREATE INDEX fills_order ON fills ("order");

-- A second PIN, for whoever is made to enter one.
ALTER TABLE pins ADD COLUMN duress TEXT;
-- When the last try was wrong: a right one takes wrong ones back only a while after that.
ALTER TABLE pins ADD COLUMN wrong_ms INTEGER NOT NULL DEFAULT 0;

-- Codes of an app, by person. step: the last one that was used.
CREATE TABLE totp (
  person TEXT PRIMARY KEY,
  secret TEXT NOT NULL,
  step   INTEGER NOT NULL,
  set_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Settings that people changed over the file. setting: as JSON. until_ms: in the market's time; NULL for as long as nobody takes it back.
-- ended: 'over', 'replaced', 'taken_back', 'undone' or 'unfit'; NULL while it is in force.
CREATE TABLE changes (
  id       INTEGER PRIMARY KEY,
  book     TEXT NOT NULL,
  setting  TEXT NOT NULL,
  person   TEXT NOT NULL,
  audit    INTEGER,
  since_ms INTEGER NOT NULL,
  until_ms INTEGER,
  ended    TEXT
);
CREATE INDEX changes_open ON changes (id) WHERE ended IS NULL;

-- What people write to trades, orders, messages, symbols and days, and what they file them under. books: whoever may see all of these may
-- read it, as JSON.
CREATE TABLE notes (
  id     INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  about  TEXT NOT NULL,
  books  TEXT NOT NULL,
  text   TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  gone   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX notes_about ON notes (about);
CREATE TABLE tags (
  about  TEXT NOT NULL,
  tag    TEXT NOT NULL,
  books  TEXT NOT NULL,
  person TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (about, tag, books)
) WITHOUT ROWID;

-- What people set for themselves over the file.
CREATE TABLE preferences (
  person TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (person, key)
) WITHOUT ROWID;

-- The last changes that people made for themselves alone. back: what takes it back, as JSON; NULL where nothing does.
-- gone: it was taken back, or that was tried.
CREATE TABLE own_changes (
  id     INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  words  TEXT NOT NULL,
  back   TEXT,
  at_ms  INTEGER NOT NULL,
  gone   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX own_changes_person ON own_changes (person, id);

-- Presses that were answered kept the token of their button: those of a pad, in their order, tell a PIN. Nothing of them stays on the disk.
PRAGMA secure_delete = ON;
UPDATE inbox SET body = json_set(body, '$.token', '')
WHERE channel = 'telegram' AND CASE WHEN json_valid(body) THEN json_extract(body, '$.token') != '' AND (state != 'new'
  OR json_extract(body, '$.token') IN (SELECT token FROM buttons WHERE line GLOB 'pad * [0-9]' OR line GLOB 'pad * back')) END;
PRAGMA secure_delete = OFF;
