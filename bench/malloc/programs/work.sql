-- A database in memory: filled, indexed, joined, grouped, changed and emptied. Ours, no input.
PRAGMA temp_store = memory;
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, city TEXT, born INTEGER);
CREATE TABLE visit(person INTEGER, place TEXT, day INTEGER, note TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO person
SELECT i, 'name-' || (i * 7919 % 20011), 'city-' || (i * 31 % 197), 1900 + i * 17 % 120 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO visit
SELECT i * 7907 % 20000 + 1, 'place-' || (i * 53 % 499), i % 3650,
    substr('a note that is short or long, as notes are, and sometimes says nothing at all', 1, i % 78)
FROM n;
CREATE INDEX person_name ON person(name);
CREATE INDEX visit_person ON visit(person, day);
SELECT count(*), sum(length(note)) FROM visit;
SELECT city, count(*), max(born) FROM person GROUP BY city ORDER BY 2 DESC, 1 LIMIT 5;
SELECT p.city, v.place, count(*) AS c FROM person p JOIN visit v ON v.person = p.id
    WHERE p.born > 1950 GROUP BY 1, 2 ORDER BY c DESC, 1, 2 LIMIT 5;
SELECT length(group_concat(name, ';')) FROM (SELECT name FROM person ORDER BY name DESC);
UPDATE visit SET note = note || ' (seen)' WHERE day % 7 = 0;
SELECT substr(note, 1, 12), count(*) FROM visit GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3;
DELETE FROM visit WHERE person % 3 = 1;
SELECT count(DISTINCT place), sum(day) FROM visit;
SELECT name, (SELECT group_concat(place, ' ') FROM (SELECT place FROM visit WHERE person = p.id
    ORDER BY day LIMIT 8)) FROM person p ORDER BY name LIMIT 3;
