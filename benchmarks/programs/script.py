"""Python: what scripts do. Dictionaries, classes, strings, regular expressions, JSON, sorting, generators, big integers and decimals.
Prints a checksum of each part."""

import collections
import decimal
import hashlib
import json
import re
import sys
import zlib


def numbers(count, seed=42):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2147483648
        yield seed >> 12


class Account:
    __slots__ = ("owner", "balance", "history")

    def __init__(self, owner):
        self.owner, self.balance, self.history = owner, 0, []

    def book(self, amount):
        self.balance += amount
        self.history.append(amount)


def accounts(count):
    book = {}
    for number in numbers(count):
        name = "owner%d" % (number % 500)
        if name not in book:
            book[name] = Account(name)
        book[name].book(number % 1000 - 300)
    richest = sorted(book.values(), key=lambda a: (-a.balance, a.owner))[:3]
    return [(a.owner, a.balance, len(a.history)) for a in richest]


def records(count):
    data = [{"id": i, "tags": ["t%d" % (n % 13), "u%d" % (n % 7)], "value": n / 8, "text": "née %x \n\"%d\"" % (n, i)}
            for i, n in enumerate(numbers(count))]
    text = json.dumps(data, indent=1)
    again = json.loads(text)
    assert again == data
    return len(text), zlib.crc32(text.encode()), hashlib.sha256(text.encode()).hexdigest()[:16], text


def expressions(text):
    found = collections.Counter(re.findall(r'"(t\d+|u[0-5])"', text))
    dates = re.sub(r"(\d+)\.(\d+)", lambda m: m.group(2) + ":" + m.group(1), text)
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:3], len(dates), zlib.crc32(dates.encode())


def big(count):
    product = 1
    for number in numbers(count):
        product = product * (number | 1) % (1 << 2203) ^ number
    decimal.getcontext().prec = 60
    root = sum((decimal.Decimal(n + 1).sqrt() for n in numbers(count // 4)), decimal.Decimal(0))
    return product % 1000000007, str(root)[:40]


def shortest_paths(nodes):
    edges = collections.defaultdict(list)
    for i, number in enumerate(numbers(nodes * 4)):
        edges[i % nodes].append((number % nodes, number % 97 + 1))
    distance, todo = {0: 0}, collections.deque([0])
    while todo:
        at = todo.popleft()
        for to, length in edges[at]:
            if distance[at] + length < distance.get(to, 1 << 60):
                distance[to] = distance[at] + length
                todo.append(to)
    return len(distance), sum(distance.values())


def main():
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    print("accounts", accounts(int(50000 * scale)))
    *summary, text = records(int(3000 * scale))
    print("records", summary)
    print("expressions", expressions(text))
    print("big", big(int(3000 * scale)))
    print("paths", shortest_paths(int(2500 * scale)))


main()
