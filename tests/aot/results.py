"""How the checks of this folder end."""


def tell(results):
    """Prints (name, what is wrong) of each case, and returns the exit status."""
    failed = 0
    for name, wrong in results:
        failed += bool(wrong)
        print(f"{'FAILED' if wrong else 'passed'} {name}", *wrong, sep="\n  ")
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
