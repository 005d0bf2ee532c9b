"""What the checks in Python have in common: their command line, how they say what came of a case, and how outputs are compared. In a class of cases, which `main` plays,
these are the methods test_NAME; a case fails by a message that it returns or raises."""
import argparse
import pathlib


class Wrong(Exception):
    pass


class Skipped(Exception):
    pass


def want(condition, message):
    if not condition:
        raise Wrong(message)


def _path(text):
    return pathlib.Path(text).resolve()


def parse(*paths, choose=False, **options):
    """The command line: --ferry, --work, other paths that have to be given, options by what argparse wants to know of each, and a word that chooses cases."""
    parser = argparse.ArgumentParser()
    for name in ("ferry", "work", *paths):
        parser.add_argument(f"--{name}", required=True, type=_path)
    for name, how in options.items():
        parser.add_argument(f"--{name}", **how)
    if choose:
        parser.add_argument("only", nargs="?", default="", help="only cases whose names hold this")
    arguments = parser.parse_args()
    arguments.ferry = str(arguments.ferry)
    return arguments


def _play(case):
    try:
        return case()
    except Wrong as wrong:
        return str(wrong)
    except Skipped as skipped:
        return skipped


def tell(results):
    """Prints what came of each case, (name, what is wrong): a message, several, Skipped, or nothing. Returns the exit status."""
    count = {"passed": 0, "FAILED": 0, "skipped": 0}
    for name, wrong in results:
        came = "skipped" if isinstance(wrong, Skipped) else "FAILED" if wrong else "passed"
        lines = wrong if isinstance(wrong, list) else [wrong] if wrong else []
        print(f"{came} {name}", *lines, sep="\n  ", flush=True)
        count[came] += 1
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    return 1 if count["FAILED"] or not any(count.values()) else 0


def main(make, *paths, **options):
    """Plays the cases of make(arguments), or those whose names hold a word, and says what came of them. Returns the exit status."""
    cases = make(arguments := parse(*paths, choose=True, **options))
    names = [name for name in dir(cases) if name.startswith("test_") and arguments.only in name]
    return tell((name[5:], _play(getattr(cases, name))) for name in names)


def differences(expected, got):
    """Of two runs, each (status, output, messages): lines to show, none if status and output are the same."""
    if expected[:2] == got[:2]:
        return []
    lines = [] if expected[0] == got[0] else [f"exit status {got[0]}, expected {expected[0]}"]
    left, right = expected[1].splitlines(), got[1].splitlines()
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else "(nothing)"
        two = right[number] if number < len(right) else "(nothing)"
        if one != two:
            lines += [f"line {number + 1}: expected {one[:300]}", f"line {number + 1}:      got {two[:300]}"]
        if len(lines) > 14:
            lines.append("and more")
            break
    return lines + ["stderr: " + line[:300] for line in got[2].splitlines()[-12:]]
