"""What Python programs do with memory: JSON, dictionaries, strings, objects, sorting. Ours, no input."""
import json
import re

WORDS = [f"{a}{b}{c}" for a in "kmtrsl" for b in "aeiou" for c in "ndrsxt"]


class Record:
    def __init__(self, number, name, tags):
        self.number, self.name, self.tags = number, name, tags

    def key(self):
        return (self.name, -self.number)


def numbers(seed):
    while True:
        seed = seed * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        yield seed >> 33


def records(draw, count):
    return [Record(i, WORDS[next(draw) % len(WORDS)],
                   [WORDS[next(draw) % len(WORDS)] for _ in range(next(draw) % 6)])
            for i in range(count)]


def by_tag(everything):
    index = {}
    for record in everything:
        for tag in record.tags:
            index.setdefault(tag, []).append(record)
    return index


def through_json(everything):
    text = json.dumps([{"n": r.number, "name": r.name, "tags": r.tags} for r in everything])
    return json.loads(text), text


def count_words(text):
    counts = {}
    for word in re.findall(r"[a-z]+", text):
        counts[word] = counts.get(word, 0) + 1
    return counts


def edit(text):
    lines = [line.strip().replace("a", "aa") for line in text.split(",")]
    return "\n".join(f"{i}: {line.upper()}" for i, line in enumerate(lines))


def main():
    draw, checksum = numbers(1), 0
    for _ in range(6):
        everything = records(draw, 8000)
        everything.sort(key=Record.key)
        copies, text = through_json(everything)
        index = by_tag(everything)
        counts = count_words(text)
        checksum = (checksum * 31 + len(edit(text)) + sum(counts.values()) + len(copies)
                    + sum(len(found) for found in index.values())) % (1 << 61)
    print("python", checksum)


main()
