#!/usr/bin/env python3
"""Comments and documents keep their shape, and name files that are there.

    comments.py ROOT         every .hpp, .cpp, .def and .md under ROOT but build folders
    comments.py --self-test  each rule on a text that breaks it and on one that keeps it

Rules, for each run of whole-line comments:
  torn     a line falls back to the margin between an item and its hanging text
  label    a label and its gap stand in the middle of a sentence: two rows of a table joined
  orphan   a word or two alone on a line in the middle of a sentence, where the line before was full
  long     a line of more than 100 columns
and for comments and documents alike, but for the changelog, which tells of the past:
  path     FOLDER/FILE.hpp (.cpp, .def, .py, .md, .svg) is not there; nor, in documents that are not
           the spec (whose tags look alike), `FOLDER/FILE` without an ending
"""
import pathlib
import re
import sys

LIMIT = 100
COMMENT = re.compile(r"^(\s*///?)( *)(.*)$")
PATH = re.compile(r"(?<![\w/.<])((?:[a-z_]+/)+\w+\.(?:hpp|cpp|def|py|md|svg))\b")
BARE_PATH = re.compile(r"`([a-z_]+/[a-z_0-9/]+)`")
GAP = re.compile(r"\S {2,}\S")
LABEL_IN_SENTENCE = re.compile(r"[a-z)][.;:] [A-Za-z]+ {3,}[a-z]")


def columns(parts):
    """Where text begins in a line of a comment: behind its margin and behind each gap."""
    if not parts:
        return set()
    text = parts[1] + parts[2]
    return {len(parts[1])} | {m.end() - 1 for m in GAP.finditer(text)}


def faults(text):
    """(line, rule) for each comment line that is out of shape."""
    lines = text.split("\n")
    parsed = [m.groups() if (m := COMMENT.match(line)) else None for line in lines]
    for i, here in enumerate(parsed):
        if here is None or not here[2]:
            continue
        if len(lines[i]) > LIMIT:
            yield i + 1, "long"
        before = parsed[i - 1] if i > 0 else None
        after = parsed[i + 1] if i + 1 < len(parsed) else None
        if not before or not before[2] or before[0] != here[0]:
            continue
        full_before = len(lines[i - 1]) + 1 + len(here[2].split()[0]) > LIMIT
        item = GAP.search(before[2]) or re.match(r"[-*] ", before[2]) or len(before[1]) > 1
        if after and after[2] and after[0] == here[0]:
            hanging = len(after[1]) >= 3 and len(after[1]) > len(here[1])
            few = len(here[2].split()) <= 3
            if item and few and full_before and hanging and not GAP.search(here[2]):
                yield i + 1, "torn"
                continue
            same = len(after[1]) == len(here[1]) == len(before[1])
            ended = before[2][-1] in ".:;" or here[2][-1] in ".:;,"
            if (same and full_before and not ended and len(here[2].split()) <= 2
                    and not GAP.search(after[2]) and not re.match(r"[-*|(`\d]", after[2])):
                yield i + 1, "orphan"
        if LABEL_IN_SENTENCE.search(here[2]):
            others = columns(before) | columns(after)
            if not (columns(here) - {len(here[1])}) & others:
                yield i + 1, "label"


def missing_paths(text, document, place, tree):
    """(line, path) for each path that is named and is not in `tree`, a set of files and folders."""
    folders = {path.split("/")[0] for path in tree if "/" in path}
    for number, line in enumerate(text.split("\n"), 1):
        said = line if document else line[line.find("//"):] if "//" in line else ""
        names = [m[1] for m in PATH.finditer(said)]
        if document and not place.endswith("spec.md"):
            names += [m[1] for m in BARE_PATH.finditer(said)]
        for name in (each.rstrip("/") for each in names):
            beside = str(pathlib.PurePosixPath(place).parent / name)
            known = {name, beside} | {name + end for end in (".hpp", ".cpp", ".py")}
            if name.split("/")[0] in folders and not known & tree:
                yield number, name


SAMPLES = [
    ("torn", """// Threading   every function may be called from several threads at once; the engine never calls
// back
//             into the host.
"""),
    ("torn", """//  - candidates for an audit at h are the chains that hold a slot in the digest of h, and of those
//  whose
//    bond is still liable
"""),
    ("label", """//   Verdict  the object under examination is bad, and why. Malformed bytes from anywhere are a
//   verdict. Error    the environment failed
"""),
    ("label", """// Durability  append returns when the record is on the
// device. Finality    as the parameters say
"""),
    ("orphan", """// The order of calls is whatever the host makes of it, so that a test may own time and the orders
// of
// all calls of one thread
"""),
    ("long", "// " + "x" * 98 + "\n"),
    (None, """// Threading   every function may be called from several threads at once; the engine never calls
//             back into the host.
// Failure     kIo.
"""),
    (None, """// One line that is not full
// and
// another one
"""),
    (None, "//   y    the value of a height\n//   E    its entropy\n"),
    (None, """//   now; later   when it is asked for
//   never        nothing is due
"""),
    (None, "// " + "\u00e4" * 97 + "\n"),
]


def self_test():
    failed = 0
    for rule, text in SAMPLES:
        found = [r for _, r in faults(text)]
        if (rule in found) if rule else not found:
            continue
        failed += 1
        print(f"expected {rule}, found {found}:\n{text}")
    tree = {"low", "low/a.hpp", "low/b.cpp", "docs", "docs/a.md"}
    for place, text, missing in [
            ("low/a.hpp", "// see low/b.cpp\nx /* */\n", []),
            ("low/a.hpp", "// see low/c.cpp\n", ["low/c.cpp"]),
            ("docs/a.md", "`low/b`, low/a.hpp, `other/c` and high/c.cpp", []),
            ("docs/a.md", "`low/c` and low/d.hpp", ["low/d.hpp", "low/c"]),
            ("docs/spec.md", "`low/tag`", [])]:
        found = [name for _, name in missing_paths(text, place.endswith(".md"), place, tree)]
        if found != missing:
            failed += 1
            print(f"expected {missing}, found {found}: {text}")
    print("every sample is judged right" if not failed else f"{failed} samples are judged wrong")
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1])
    paths = []
    for top in sorted(root.iterdir()):
        if not top.name.startswith(("build", ".")):
            paths += [top, *sorted(top.rglob("*"))]
    tree = {path.relative_to(root).as_posix() for path in paths}
    found = 0
    files = 0
    for path in paths:
        name = path.relative_to(root).as_posix()
        document = path.suffix == ".md" and name != "CHANGELOG.md"
        code = path.suffix in (".hpp", ".cpp", ".def")
        if not document and not code:
            continue
        files += 1
        text = path.read_text(encoding="utf-8")
        problems = [(line, rule) for line, rule in faults(text)] if code else []
        problems += [(line, f"path {what}") for line, what in missing_paths(text, document, name, tree)]
        for line, problem in problems:
            found += 1
            print(f"{name}:{line}: {problem}")
    print(f"{files} files, {found} faults")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
