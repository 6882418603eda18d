-- Delivery: which facts are one story, who is reached how, what became of each try, and what people want to be told.

-- The lane of the terminal is named like all others.
UPDATE outbox SET lane = 'owner:terminal' WHERE lane = 'terminal:owner';
-- Between warnings and criticals come answers and edits.
UPDATE outbox SET priority = 4 WHERE priority = 3;

-- A story is known by the row of the journal that began it.
ALTER TABLE journal ADD COLUMN episode INTEGER;
CREATE INDEX journal_episode ON journal (episode, seq) WHERE episode IS NOT NULL;
CREATE INDEX notices_seq ON notices (seq);

CREATE TABLE stories (
  key     TEXT PRIMARY KEY,
  episode INTEGER NOT NULL,
  open    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stories_open ON stories (key) WHERE open;

-- task: 'notice', 'answer' or 'edit'. told_in: the notice whose message tells this one too. remote: the message's id at the channel.
ALTER TABLE outbox ADD COLUMN task TEXT NOT NULL DEFAULT 'notice';
ALTER TABLE outbox ADD COLUMN episode INTEGER;
ALTER TABLE outbox ADD COLUMN unless_acked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN told_in INTEGER;
-- Told by itself: the message that was to tell it with others was refused.
ALTER TABLE outbox ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN remote TEXT;
ALTER TABLE outbox ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN digest TEXT;
ALTER TABLE outbox ADD COLUMN reply_to TEXT;
ALTER TABLE outbox ADD COLUMN edit_of TEXT;
ALTER TABLE outbox ADD COLUMN body TEXT;
ALTER TABLE outbox ADD COLUMN file TEXT;
ALTER TABLE outbox ADD COLUMN bytes BLOB;
CREATE INDEX outbox_episode ON outbox (episode, lane) WHERE episode IS NOT NULL;
CREATE INDEX outbox_notice ON outbox (notice);
CREATE INDEX outbox_digest ON outbox (lane, digest) WHERE digest IS NOT NULL;

CREATE TABLE attempts (
  delivery INTEGER NOT NULL,
  attempt  INTEGER NOT NULL,
  begun_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  outcome  TEXT NOT NULL,
  detail   TEXT,
  skew_ms  INTEGER,
  PRIMARY KEY (delivery, attempt)
) WITHOUT ROWID;

-- What stands on a button stays here; the channel only knows the token.
CREATE TABLE buttons (
  token   TEXT PRIMARY KEY,
  lane    TEXT NOT NULL,
  line    TEXT NOT NULL,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE lanes (
  lane     TEXT PRIMARY KEY,
  dead     INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  why      TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE acks (
  notice  INTEGER PRIMARY KEY,
  person  TEXT NOT NULL,
  channel TEXT NOT NULL,
  at_ms   INTEGER NOT NULL
);

CREATE TABLE mutes (
  person   TEXT NOT NULL,
  kind     TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (person, kind)
) WITHOUT ROWID;

-- How somebody wants a kind to be told, said in a chat; it goes over the configuration.
CREATE TABLE wishes (
  person    TEXT NOT NULL,
  kind      TEXT NOT NULL,
  treatment TEXT NOT NULL,
  set_ms    INTEGER NOT NULL,
  PRIMARY KEY (person, kind)
) WITHOUT ROWID;

-- Chats that were bound by a code.
CREATE TABLE addresses (
  person   TEXT NOT NULL,
  channel  TEXT NOT NULL,
  user     INTEGER NOT NULL,
  chat     INTEGER NOT NULL,
  bound_ms INTEGER NOT NULL,
  PRIMARY KEY (person, channel)
) WITHOUT ROWID;

CREATE TABLE pair_codes (
  person     TEXT PRIMARY KEY,
  hash       TEXT NOT NULL,
  expires_ms INTEGER NOT NULL,
  tries      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE strangers (
  channel  TEXT NOT NULL,
  user     INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY (channel, user)
) WITHOUT ROWID;

-- What is still to be done on a channel besides messages: a text that may be a PIN is to be removed, a chat is to hear that it is left,
-- one that was closed is to be offered no commands. chat: where, 0 if that is not known. due_ms: when it is tried next. tries: how often it failed.
CREATE TABLE errands (
  id      INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  chat    INTEGER NOT NULL,
  body    TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  due_ms  INTEGER NOT NULL,
  tries   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX errands_due ON errands (channel, due_ms);
CREATE INDEX errands_chat ON errands (channel, chat, id);

CREATE TABLE alerts (
  id         INTEGER PRIMARY KEY,
  person     TEXT NOT NULL,
  condition  TEXT NOT NULL,
  body       TEXT NOT NULL,
  repeats    INTEGER NOT NULL,
  expires_ms INTEGER,
  state      TEXT NOT NULL,
  made_ms    INTEGER NOT NULL,
  fired      INTEGER NOT NULL DEFAULT 0,
  fired_ms   INTEGER
);
CREATE INDEX alerts_open ON alerts (person, id) WHERE state IN ('new', 'armed', 'resting');

-- What a channel said besides the text: from whom, in which chat, when.
ALTER TABLE inbox ADD COLUMN body TEXT NOT NULL DEFAULT '';

-- What an update changed, so that it changes it once, whatever is between the change and its answer.
CREATE TABLE effects (
  inbox INTEGER PRIMARY KEY
);
DROP INDEX inbox_open;
CREATE INDEX inbox_open ON inbox (channel, id) WHERE state = 'new';

-- How often things happened since the database was made, kept with each write, so that nobody counts a million rows to know.
CREATE TABLE totals (
  name  TEXT NOT NULL,
  label TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (name, label)
) WITHOUT ROWID;
INSERT INTO totals SELECT 'events', kind || ' ' || severity, count(*) FROM journal GROUP BY 2;
INSERT INTO totals SELECT 'fills', '', count(*) FROM fills;
INSERT INTO totals SELECT 'trades', '', count(*) FROM trades;
INSERT INTO totals
  SELECT 'refusals', json_extract(r.value, '$.check'), count(*)
  FROM journal j, json_each(j.body, '$.refusals') r WHERE j.kind = 'proposal_refused' GROUP BY 2;

-- When each part was last looked at and last well, and what is wrong with it.
CREATE TABLE pulses (
  part    TEXT PRIMARY KEY,
  seen_ms INTEGER NOT NULL,
  well_ms INTEGER,
  ill     TEXT
) WITHOUT ROWID;

ALTER TABLE progress ADD COLUMN wall_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX journal_loud ON journal (severity, wall_ms) WHERE severity IN ('warning', 'critical');
CREATE INDEX journal_chores ON journal (kind, seq) WHERE kind IN ('backup_made', 'backup_failed', 'day_audited');
CREATE INDEX attempts_skew ON attempts (begun_ms) WHERE skew_ms IS NOT NULL;
-- What may go, the loudest first; what was put off, by when it is due.
DROP INDEX outbox_open;
CREATE INDEX outbox_open ON outbox (lane, held, priority DESC, id) WHERE state = 'pending';
CREATE INDEX outbox_held ON outbox (lane, due_ms) WHERE state = 'pending' AND held = 1;
CREATE INDEX outbox_critical ON outbox (id) WHERE priority = 4 AND task = 'notice';
CREATE INDEX outbox_due ON outbox (lane, due_ms) WHERE state = 'pending';
CREATE INDEX outbox_remote ON outbox (lane, remote) WHERE remote IS NOT NULL;
CREATE INDEX outbox_settled ON outbox (settled_ms) WHERE settled_ms IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (lane, due_ms, created_ms) WHERE state IN ('pending', 'sending');
DROP INDEX outbox_state;
CREATE INDEX outbox_state ON outbox (lane, state, task);
