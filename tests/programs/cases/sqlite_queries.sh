# sqlite3: schema, joins, window functions, recursive queries, JSON, full text, transactions, indices, files in WAL mode.
# program-test: modes=chroot,overlay
sqlite3 test.db <<'END'
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INT CHECK(born > 1800), UNIQUE(name));
CREATE TABLE visit(person REFERENCES person(id), place TEXT, cost REAL);
INSERT INTO person(name, born) VALUES ('Ada', 1815), ('Alan', 1912), ('Grace', 1906), ('Edsger', 1930);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO visit SELECT i % 4 + 1, 'place' || (i * 7 % 13), i * 1.25 FROM n;
CREATE INDEX by_place ON visit(place, cost);
SELECT name, count(*), round(sum(cost), 2), printf('%.3f', avg(cost)) FROM person JOIN visit ON visit.person = person.id GROUP BY name ORDER BY name;
SELECT place, max(cost) FROM visit GROUP BY place HAVING count(*) > 230 ORDER BY 2 DESC LIMIT 5;
SELECT name, born, rank() OVER (ORDER BY born), lag(name) OVER (ORDER BY born), sum(born) OVER (ORDER BY id ROWS 1 PRECEDING) FROM person;
WITH RECURSIVE fib(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM fib LIMIT 60) SELECT max(a) FROM fib;
SELECT json_extract('{"a": [1, 2, {"b": 3.5}]}', '$.a[2].b'), json_group_array(name) FROM person; SELECT value FROM json_each('[10, "x", null]');
EXPLAIN QUERY PLAN SELECT * FROM visit WHERE place = 'place3' AND cost > 10;
INSERT INTO person(name, born) VALUES ('Ada', 1900);
INSERT INTO person(name, born) VALUES ('Old', 1700);
BEGIN; DELETE FROM visit; SELECT count(*) FROM visit; ROLLBACK; SELECT count(*) FROM visit;
CREATE TRIGGER born_changed AFTER UPDATE OF born ON person BEGIN INSERT INTO visit VALUES (new.id, 'changed', new.born - old.born); END; UPDATE person SET born = born + 1 WHERE id < 3; SELECT * FROM visit WHERE place = 'changed';
CREATE VIEW young AS SELECT * FROM person WHERE born > 1910; SELECT * FROM young;
SELECT typeof(1), typeof(1.0), typeof('x'), typeof(NULL), typeof(x'00'), 7 / 2, 7 % 3, 7.0 / 2, 1e308 * 10, 0.1 + 0.2, 9223372036854775807 + 1, abs(-5), length('äö'), unicode('€'), upper('abc'), substr('hello', 2, 3), replace('aXa', 'X', 'b'), instr('abc', 'c'), round(2.5), sqrt(2), pow(2, 0.5), ln(10);
SELECT date('2024-02-28', '+2 days'), strftime('%j %W', '2024-12-31'), julianday('2000-01-01'), datetime(1e9, 'unixepoch');
SELECT 'abc' LIKE 'A%', 'abc' GLOB 'a*', 'a' < 'B', 1 IS NOT NULL, coalesce(NULL, 2), iif(1, 'y', 'n'), CASE 3 WHEN 3 THEN 'three' END, 5 BETWEEN 1 AND 9, 3 IN (1, 2, 3), EXISTS (SELECT 1);
CREATE VIRTUAL TABLE doc USING fts5(body); INSERT INTO doc VALUES ('the quick brown fox'), ('lazy dogs sleep'), ('quick dogs run'); SELECT rowid, highlight(doc, 0, '[', ']') FROM doc WHERE doc MATCH 'quick OR sleep' ORDER BY rank, rowid;
SELECT count(*) FROM visit a JOIN visit b ON a.place = b.place AND a.person < b.person WHERE a.cost < 500 AND b.cost < 500;
PRAGMA integrity_check; PRAGMA page_size; VACUUM; PRAGMA page_count; PRAGMA journal_mode = WAL; INSERT INTO visit VALUES (1, 'wal', 0); PRAGMA wal_checkpoint;
.schema
.mode json
SELECT * FROM person LIMIT 2;
.mode box
SELECT * FROM person LIMIT 2;
.dump person
END
echo $?
sqlite3 test.db 'SELECT sum(cost) FROM visit' '.tables'; sha256sum < <(sqlite3 test.db .dump)
for i in 1 2 3 4; do (for j in $(seq 10); do sqlite3 -cmd '.timeout 20000' test.db "INSERT INTO visit VALUES ($i, 'parallel', $j)" >/dev/null || echo failed; done) & done; wait
sqlite3 test.db "SELECT person, count(*), sum(cost) FROM visit WHERE place = 'parallel' GROUP BY person"
