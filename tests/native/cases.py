"""What the checks of this folder have in common: cases are methods test_NAME of a class, and fail by a message that they return or raise."""
import argparse
import pathlib


class Wrong(Exception):
    pass


def want(condition, message):
    if not condition:
        raise Wrong(message)


def _play(case):
    try:
        return case()
    except Wrong as wrong:
        return str(wrong)


def main(make):
    """Plays the cases of make(arguments), or those whose names hold a word, and says what came of them. Returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("only", nargs="?", default="")
    cases = make(arguments := parser.parse_args())
    failed = passed = 0
    for name in [name for name in dir(cases) if name.startswith("test_") and arguments.only in name]:
        wrong = _play(getattr(cases, name))
        print(f"{'FAILED' if wrong else 'passed'} {name[5:]}{': ' + wrong if wrong else ''}")
        failed, passed = failed + bool(wrong), passed + (not wrong)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
