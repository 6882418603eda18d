-- Short messages cost money: what each was paid before it was sent, and what the service says became of it.

-- day: days since 1970 in UTC. state: 'paid' until the service took it, then what the service calls it; 'returned' where it was never sent.
-- grade: how far that is on its way; it never goes back. last: paid from what is kept for the loudest facts.
CREATE TABLE sms (
  id       INTEGER PRIMARY KEY,
  delivery INTEGER NOT NULL,
  lane     TEXT NOT NULL,
  day      INTEGER NOT NULL,
  segments INTEGER NOT NULL,
  cost     INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  paid_ms  INTEGER NOT NULL,
  sid      TEXT,
  state    TEXT NOT NULL,
  grade    INTEGER NOT NULL,
  code     INTEGER,
  told_ms  INTEGER
);
CREATE INDEX sms_day ON sms (day) WHERE state != 'returned';
CREATE UNIQUE INDEX sms_sid ON sms (sid) WHERE sid IS NOT NULL;
CREATE INDEX sms_delivery ON sms (delivery);

-- Phones that texted a word by which nothing may be sent to them any more.
CREATE TABLE sms_opt_outs (
  lane  TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
