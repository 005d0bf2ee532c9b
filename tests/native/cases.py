"""What the checks of this folder have in common: cases are methods test_NAME of a class, and fail by a message that they return or raise."""
import argparse
import pathlib


class Wrong(Exception):
    pass


class Skipped(Exception):
    pass


def want(condition, message):
    if not condition:
        raise Wrong(message)


def _play(case):
    try:
        return case()
    except Wrong as wrong:
        return str(wrong)
    except Skipped as skipped:
        return skipped


def main(make):
    """Plays the cases of make(arguments), or those whose names hold a word, and says what came of them. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--times", type=int, default=1, help="how much longer than usual the long cases are")
    parser.add_argument("only", nargs="?", default="")
    cases = make(arguments := parser.parse_args())
    count = {"passed": 0, "FAILED": 0, "skipped": 0}
    for name in [name for name in dir(cases) if name.startswith("test_") and arguments.only in name]:
        wrong = _play(getattr(cases, name))
        came = "skipped" if isinstance(wrong, Skipped) else "FAILED" if wrong else "passed"
        print(f"{came} {name[5:]}{f': {wrong}' if wrong else ''}", flush=True)
        count[came] += 1
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    return 1 if count["FAILED"] else 0
