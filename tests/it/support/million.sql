-- A year of a busy bot: a million facts, 300,000 messages on two lanes, a try each.
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
INSERT INTO journal (cycle, market_ms, wall_ms, run, book, kind, severity, symbol, "order", body)
SELECT i, i * 60000, 1800000000000 - 1000 * i, 1, 'main',
  CASE i % 10 WHEN 0 THEN 'order_filled' WHEN 1 THEN 'proposal_refused' WHEN 2 THEN 'feed_stale' ELSE 'signal_raised' END,
  CASE i % 10 WHEN 2 THEN 'warning' ELSE 'info' END, 'AAPL', NULL,
  json_object('kind', 'signal_raised', 'text', printf('%0400d', i)) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO outbox (notice, lane, priority, state, attempts, created_ms, settled_ms)
SELECT i, CASE i % 2 WHEN 0 THEN 'ana:telegram' ELSE 'owner:terminal' END, 1, CASE WHEN i % 100 THEN 'sent' ELSE 'skipped' END, 1,
  1800000000000, 1800000000500 FROM n;
INSERT OR IGNORE INTO attempts (delivery, attempt, begun_ms, ended_ms, outcome, skew_ms)
SELECT id, 1, created_ms, settled_ms, 'accepted', 12 FROM outbox WHERE state = 'sent';
COMMIT;
