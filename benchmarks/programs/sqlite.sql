-- Database work in memory: bulk insertion, indexes, joins, aggregation, text functions, updates and deletions. The random numbers are a
-- congruential sequence, so that every run does the same. Each SELECT prints a checksum.
PRAGMA temp_store = memory;
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, town INTEGER NOT NULL, born INTEGER NOT NULL, pay REAL NOT NULL);
CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, day INTEGER NOT NULL, amount INTEGER NOT NULL, note TEXT);

BEGIN;
WITH RECURSIVE n(i, r) AS (SELECT 1, 12345 UNION ALL SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 200)
INSERT INTO town SELECT i, printf('town-%03d-%x', i, r), char(65 + r / 65536 % 26, 65 + r / 4096 % 26) FROM n;
WITH RECURSIVE n(i, r) AS (SELECT 1, 777 UNION ALL SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 12000)
INSERT INTO person SELECT i, printf('%c%s %d', 97 + i % 26, substr('abcdefghijklmnopqrstuvwxyz', 1 + r / 65536 % 20, 6), i),
    1 + r / 1024 % 200, 1930 + r / 65536 % 80, 1000 + r / 7 % 5000 + 0.25 FROM n;
WITH RECURSIVE n(i, r) AS (SELECT 1, 4242 UNION ALL SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 40000)
INSERT INTO purchase SELECT i, 1 + r / 512 % 12000, r / 65536 % 365, r / 1024 % 10000, CASE i % 5 WHEN 0 THEN 'gift ' || r END FROM n;
COMMIT;

CREATE INDEX purchase_person ON purchase (person, day);
CREATE INDEX person_town ON person (town);
ANALYZE;

SELECT 'rows', count(*), sum(amount), count(note), sum(length(note)) FROM purchase;
SELECT 'countries', country, count(*) AS people, sum(spent) FROM
    (SELECT town.country, person.id, sum(amount) AS spent FROM town JOIN person ON person.town = town.id JOIN purchase ON purchase.person = person.id
     GROUP BY person.id) GROUP BY country ORDER BY sum(spent) DESC, country LIMIT 5;
SELECT 'names', count(*), max(upper(name)), min(replace(name, 'a', '*')) FROM person WHERE name LIKE '%mno%' OR name GLOB '?[b-k]*7';
SELECT 'ranks', sum(place * id % 1009) FROM
    (SELECT id, row_number() OVER (PARTITION BY town ORDER BY pay DESC, id) AS place FROM person);
SELECT 'busy', count(*), sum(days) FROM (SELECT person, count(DISTINCT day) AS days FROM purchase GROUP BY person HAVING count(*) > 4);

BEGIN;
UPDATE person SET pay = round(pay * 1.031, 2) WHERE born % 3 = 0;
UPDATE purchase SET amount = amount + (SELECT born FROM person WHERE person.id = purchase.person) WHERE id % 4 = 1;
DELETE FROM purchase WHERE day BETWEEN 100 AND 130;
COMMIT;

SELECT 'pay', printf('%.2f', sum(pay)), printf('%.3f', avg(pay)) FROM person;
SELECT 'left', count(*), sum(amount), sum(person * day % 1013) FROM purchase;
WITH RECURSIVE collatz(start, now, steps) AS (
    SELECT value, value, 0 FROM (WITH RECURSIVE v(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM v WHERE value < 400) SELECT value FROM v)
    UNION ALL SELECT start, CASE now % 2 WHEN 0 THEN now / 2 ELSE 3 * now + 1 END, steps + 1 FROM collatz WHERE now != 1)
SELECT 'collatz', max(steps), sum(steps), max(now) FROM collatz;
