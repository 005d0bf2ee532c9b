# sqlite3 with more data: many rows, sorting, an index, aggregates.
sqlite3 big.db <<'END'
PRAGMA cache_size = 100;
CREATE TABLE t(a INTEGER PRIMARY KEY, b INT, c TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) INSERT INTO t SELECT i, i * 7919 % 10007, printf('%08x', i * 2654435761 % 4294967296) FROM n;
CREATE INDEX tb ON t(b); CREATE INDEX tc ON t(c DESC);
SELECT count(*), sum(b), min(c), max(c) FROM t; SELECT * FROM t ORDER BY c LIMIT 3; SELECT count(DISTINCT b) FROM t; DELETE FROM t WHERE b % 3 = 0; SELECT count(*) FROM t; SELECT group_concat(a) FROM (SELECT a FROM t WHERE b BETWEEN 10 AND 20 ORDER BY a); PRAGMA integrity_check;
END
sha256sum big.db; ls -s --block-size=1 big.db | wc -l
