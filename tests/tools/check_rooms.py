#!/usr/bin/env python3
"""Fails on an #include between rooms that is not an arrow of the picture in docs/architecture.md, on LLVM headers where they may
not be, and on top-level folders and files that have no place there. Warns about files that have grown long."""
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

# Who may include whom; a room may always include itself.
ARROWS = {
    "runtime/base": [],
    "translator": ["runtime/base"],
    "cache": ["runtime/base", "translator"],
    "aot": ["runtime/base", "translator", "cache"],
    "runtime": ["runtime/base", "translator", "cache"],
    "guest-os": ["runtime/base", "translator", "cache", "runtime"],
    "hw": ["runtime/base", "translator", "cache", "runtime"],
    "runtime/cli": ["runtime/base", "translator", "cache", "runtime", "guest-os", "hw"],
}
LLVM_ROOMS = ("translator/llvm/", "aot/", "tests/")
FOLDERS = {"translator", "runtime", "aot", "cache", "guest-os", "hw", "tests", "benchmarks", "docs", ".ci"}
FILES = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "dev", ".clang-format", ".clang-tidy", ".gitignore"}
LONG = 600
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
SOURCE = (".c", ".h", ".def", ".inc", ".S", ".cc")


def files():
    """What is or would be in the repository; every file where there is no git."""
    listed = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [path for path in listed.stdout.splitlines() if os.path.exists(os.path.join(TOP, path))]
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [name for name in folders if name not in ("build", ".git", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), TOP) for name in names]
    return found


def room(path):
    return next((name for name in sorted(ARROWS, key=len, reverse=True) if path.startswith(name + "/")), None)


def included(path, name):
    """Path from the top of what `name` in quotes means in file `path`, or None if it is none of ours."""
    for candidate in (name, os.path.normpath(os.path.join(os.path.dirname(path), name))):
        if os.path.exists(os.path.join(TOP, candidate)) or room(candidate):
            return candidate
    return None


def check_file(path, errors):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    here = room(path)
    for match in INCLUDE.finditer(text):
        where = f"{path}:{text.count(chr(10), 0, match.start(2)) + 1}"
        name = match.group(2)
        if re.match(r"llvm(-c)?/", name) and not path.startswith(LLVM_ROOMS):
            errors.append(f"{where}: LLVM header {name}; these belong into translator/llvm and aot alone")
        target = included(path, name) if match.group(1) == '"' else name if room(name) else None
        there = target and room(target)
        if here and there and there != here and there not in ARROWS[here]:
            errors.append(f"{where}: {here} may not include {target} of {there}")
        if here and target and target.startswith(("tests/", "benchmarks/")):
            errors.append(f"{where}: {here} may not include {target}")
    return text.count("\n")


def main():
    errors, checked = [], 0
    for path in files():
        first, *rest = path.split("/")
        if first not in (FOLDERS if rest else FILES):
            errors.append(f"{path}: no such {'folder' if rest else 'file'} at the top; see docs/architecture.md")
        if not path.endswith(SOURCE):
            continue
        checked += 1
        lines = check_file(path, errors)
        if lines > LONG and not path.endswith(".def"):
            print(f"warning: {path} has {lines} lines; is there a seam to cut it at?", file=sys.stderr)
    for error in sorted(set(errors)):
        print(error, file=sys.stderr)
    if not checked:
        print("no source files found", file=sys.stderr)
    sys.exit(1 if errors or not checked else 0)


main()
