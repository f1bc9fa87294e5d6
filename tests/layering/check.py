"""Checks the layering rules of the tree; prints every breach and fails when there is one.

usage: check.py SOURCE_FOLDER [--nm NM --libraries LIB.a ...]
       check.py --self-test

1. Every #include "FOLDER/…" is allowed by the table in cmake/rooms.cmake (parsed, not copied), and every
   edge of that table is used.
2. Public headers (those of the rooms and of include/) include the standard library, tl/expected.hpp and
   our own headers, nothing else.
3. Files of the trusted rooms (HOLDFAST_TRUSTED_ROOMS in the same file) include no disk, system, thread,
   clock, randomness or callback, but for the files in HOLDFAST_TRUSTED_EXCEPTIONS, and use no floating
   point; nobody else claims to be trusted.
4. JSON becomes text in json/json.cpp alone (json::dump), which no bytes in a name can make fail; but for
   JSON_WRITERS, rooms below json/ whose documents hold hexadecimal digits and numbers only.
5. Kernel files include C headers only, also by way of our own headers, and their objects hold no weak
   symbol.
6. docs/architecture.md shows the same table, row by row.
"""
import os
import platform
import re
import subprocess
import sys
import tempfile

SOURCES = (".cpp", ".hpp", ".h", ".c", ".def")
FREE_FOLDERS = ("tests", "bench")  # may include anything
KERNEL = re.compile(r"_(avx2|avx512|shani|sse41|neon)$")
PART_OF_A_KERNEL = re.compile(r"_(avx2|avx512|shani|sse41|neon|portable|kernel|impl|lanes|rows)$")
INTERNAL = re.compile(r"_(impl|lanes)\.hpp$")  # not installed
JSON_WRITERS = {"json/json.cpp", "clock/public_record.cpp"}
C_HEADERS = {"stdint.h", "stddef.h", "stdbool.h", "string.h"}
FORBIDDEN_IN_TRUSTED = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier|chrono|"
    r"ctime|time\.h|fstream|iostream|ostream|istream|sstream|iomanip|cstdio|stdio\.h|filesystem|random|"
    r"cmath|math\.h|cfloat|cfenv|complex|numbers|locale|clocale|csignal|signal\.h|csetjmp|setjmp\.h|"
    r"unistd\.h|fcntl\.h|pthread\.h|poll\.h|dlfcn\.h|lmdb\.h|sys/.*|tbb/.*|oneapi/.*|boost/.*|"
    r"nlohmann/.*|openssl/rand\.h|openssl/bio\.h)$")


def parse_sets(text):
    """The set(NAME words…) commands of a CMake file."""
    text = re.sub(r"#[^\n]*", "", text)
    found = re.findall(r"\bset\s*\(\s*(\w+)\s+([^()$]*)\)", text)
    return {name: words.replace('"', " ").split() for name, words in found}


class Tree:
    def __init__(self, root):
        self.root = root
        with open(os.path.join(root, "cmake/rooms.cmake"), encoding="utf-8") as file:
            sets = parse_sets(file.read())
        self.rooms = sets["HOLDFAST_ROOMS"]
        self.folders = self.rooms + sets["HOLDFAST_CLIENTS"]
        self.allowed = {f: set(sets["HOLDFAST_DEPS_" + f]) | {f} for f in self.folders}
        self.trusted = set(sets["HOLDFAST_TRUSTED_ROOMS"])
        self.exceptions = set(sets["HOLDFAST_TRUSTED_EXCEPTIONS"])
        self.used = set()
        self.seen = set()
        self.problems = []

    def report(self, path, line, text):
        self.problems.append(f"{path}:{line}: {text}")

    def files(self, folder):
        for place, folders, names in os.walk(os.path.join(self.root, folder)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(place, name), self.root)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def check(self):
        for folder in self.folders + list(FREE_FOLDERS) + ["include"]:
            for path in self.files(folder):
                self.check_file(folder, path)
        for folder in self.folders:
            for target in sorted(self.allowed[folder] - {folder}):
                if (folder, target) not in self.used:
                    self.report("cmake/rooms.cmake", 1, f"{folder} never includes {target}: strike it")
        for room in sorted(self.trusted):
            for target in sorted(self.allowed[room] - self.trusted):
                self.report("cmake/rooms.cmake", 1, f"{room} is trusted and {target} is not")
        for stem in sorted(self.exceptions - self.seen):
            self.report("cmake/rooms.cmake", 1, f"the exception {stem} is not there")
        self.check_documented()
        return self.problems

    def check_documented(self):
        path = "docs/architecture.md"
        lines = self.read(path).splitlines()
        for folder in self.folders:
            targets = sorted(self.allowed[folder] - {folder})
            rows = {i + 1: row[1] for i, line in enumerate(lines)
                    if (row := re.fullmatch(rf"\| {folder} \| ([a-z, ]+) \|", line))}
            if not any(sorted(row.split(", ")) == targets or (row == "nothing of ours" and not targets)
                       for row in rows.values()):
                self.report(path, next(iter(rows), 1),
                            "not as cmake/rooms.cmake has it: "
                            f"| {folder} | {', '.join(targets) or 'nothing of ours'} |")

    def check_file(self, folder, path):
        text = self.read(path)
        code = strip_comments(text)
        public = folder == "include" or (folder in self.rooms and path.endswith((".hpp", ".def"))
                                         and not INTERNAL.search(path))
        stem = os.path.splitext(path)[0]
        self.seen.add(stem)
        trusted = folder in self.trusted and stem not in self.exceptions
        kernel = folder in self.rooms and bool(KERNEL.search(stem))
        for line, bracket, target in includes(code):
            if bracket == '"':
                self.check_own(folder, path, line, target, kernel)
            else:
                self.check_foreign(path, line, target, public, trusted, kernel)
        if trusted:
            for match in re.finditer(r"\b(float|double)\b", code):
                self.report(path, code.count("\n", 0, match.start()) + 1,
                            "floating point in a trusted room")
        if folder != "tests" and path not in JSON_WRITERS:
            for match in re.finditer(r"(\.|->)\s*dump\s*\(", code):
                self.report(path, code.count("\n", 0, match.start()) + 1,
                            "JSON becomes text with json::dump alone")
        prose = re.sub(r"[\s/*]+", " ", text)
        if (folder in self.rooms and not trusted
                and re.search(r"(?i)\b(part of|belongs? to) the trusted rooms?", prose)):
            self.report(path, 1, "claims to be trusted and is in no trusted room")

    def check_own(self, folder, path, line, target, kernel):
        top = target.split("/")[0]
        if folder in FREE_FOLDERS or folder == "include":
            return
        if INTERNAL.search(target) and path.endswith(".hpp") and not INTERNAL.search(path):
            self.report(path, line, f'a public header may not include "{target}"')
        if "/" not in target or top not in self.allowed[folder]:
            self.report(path, line, f'{folder} may not include "{target}"')
            return
        self.used.add((folder, top))
        if kernel and not self.is_plain_c(target, set()):
            self.report(path, line, f'a kernel may not include "{target}"')

    def is_plain_c(self, path, seen):
        """Whether a header of ours leads to C headers only: nothing with templates in it."""
        if path in seen:
            return True
        seen.add(path)
        if not os.path.exists(os.path.join(self.root, path)):
            return False
        return all(self.is_plain_c(target, seen) if bracket == '"' else target.endswith(".h")
                   for _, bracket, target in includes(strip_comments(self.read(path))))

    def check_foreign(self, path, line, target, public, trusted, kernel):
        standard = re.fullmatch(r"[a-z_0-9]+", target) or target in C_HEADERS
        if public and not standard and target != "tl/expected.hpp":
            self.report(path, line, f"a public header may not include <{target}>")
        if trusted and FORBIDDEN_IN_TRUSTED.match(target):
            self.report(path, line, f"a trusted room may not include <{target}>")
        if kernel and not target.endswith(".h"):
            self.report(path, line, f"a kernel may not include <{target}>")

    def check_objects(self, nm, libraries):
        unseen = {os.path.basename(path) for room in self.rooms for path in self.files(room)
                  if path.endswith(".cpp") and KERNEL.search(os.path.splitext(path)[0])
                  and platform.machine() == "x86_64" and not path.endswith("_neon.cpp")}
        for library in libraries:
            listing = subprocess.run([nm, "-A", library], capture_output=True, text=True, check=True)
            for line in listing.stdout.splitlines():
                found = re.match(r"[^:]*:([^:]*)\.o:[0-9a-f ]* ([A-Za-z?]) (.*)", line)
                if not found or not KERNEL.search(os.path.splitext(found[1])[0]):
                    continue
                unseen.discard(found[1])
                if found[2] in "wWvVu":
                    self.report(found[1], 1, f"weak symbol {found[3]} in a kernel's object")
        for name in sorted(unseen):
            self.report(name, 1, "a kernel without an object in the libraries")


def strip_comments(text):
    """The code without comments, line breaks kept; string literals stay as they are."""
    pattern = r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/'
    return re.sub(pattern, lambda m: m[0] if m[0][0] == '"' else "\n" * m[0].count("\n") or " ", text,
                  flags=re.S)


def includes(code):
    for number, line in enumerate(code.split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]*)[">]', line)
        if found:
            yield number, found[1], found[2]


def self_test():
    rooms = """
set(HOLDFAST_ROOMS low high)
set(HOLDFAST_DEPS_low "")
set(HOLDFAST_DEPS_high low)
set(HOLDFAST_CLIENTS tool)
set(HOLDFAST_DEPS_tool high)
set(HOLDFAST_TRUSTED_ROOMS low)
set(HOLDFAST_TRUSTED_EXCEPTIONS low/memory)
"""
    good = {
        "cmake/rooms.cmake": rooms,
        "docs/architecture.md": "| low | nothing of ours |\n| high | low |\n| tool | high |\n",
        "low/pure.hpp": '#include <vector>\n#include <tl/expected.hpp>\n#include "low/used.hpp"\n'
                        "// a double, in a comment; part of the trusted rooms\n",
        "low/used.hpp": "#include <string>\n",
        "low/memory.cpp": "#include <sys/mman.h>\n",
        "low/pure_avx2.cpp": '#include <immintrin.h>\n#include "low/pure_kernel.hpp"\n',
        "low/pure_kernel.hpp": "#include <stdint.h>\n",
        "high/other.cpp": "#include <lmdb.h>\n#include <thread>\ndouble x;\n",
        "high/x.cpp": '#include "low/pure.hpp"\n#include "high/x.hpp"\n#include <tbb/x.h>\n',
        "high/x.hpp": "#include <string>\n",
        "tool/main.cpp": '#include "high/x.hpp"\n#include <CLI/CLI.hpp>\nauto text = json::dump(x);\n',
        "tests/t.cpp": '#include "support/x.hpp"\nauto text = json.dump();\n',
        "high/x_impl.hpp": "#include <lmdb.h>\n",
        "include/holdfast/holdfast.h": "#include <stdint.h>\n",
    }
    bad = {
        "docs/architecture.md": "| low | nothing of ours |\n| high | low, tool |\n| tool | high |\n",
        "high/leak.hpp": '#include "high/x_impl.hpp"\n',
        "low/up.cpp": '#include "high/x.hpp"\n',
        "low/bare.cpp": '#include "pure.hpp"\n',
        "high/tool.cpp": '#include "tool/main.hpp"\n',
        "high/public.hpp": "#include <lmdb.h>\n",
        "include/holdfast/c.h": "#include <openssl/sha.h>\n",
        "low/pure.cpp": "#include <thread>\n",
        "low/fill_memory.cpp": "#include <sys/mman.h>\n",
        "low/files.cpp": "#include <filesystem>\n",
        "low/float_verify.cpp": "double x;\n",
        "high/claims.hpp": "// Pure; part of the\n// trusted rooms.\n",
        "high/y_avx512.cpp": "#include <vector>\n",
        "high/z_avx512.cpp": '#include "low/pure.hpp"\n',
        "high/z_shani.cpp": '#include "low/absent.hpp"\n',
        "cmake/rooms.cmake": rooms.replace("low/memory", "low/memory low/gone"),
        "tool/main.cpp": "#include <CLI/CLI.hpp>\n",
        "tool/writes.cpp": "// json.dump()\nauto text = json\n    .dump(2);\n",
        "high/writes.cpp": "auto text = json->dump (2);\n",
    }
    def problems(files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return Tree(root).check()

    failures = [f"a good tree is refused: {p}" for p in problems(good)]
    for path, text in bad.items():
        found = problems({**good, path: text})
        where = "cmake/rooms.cmake" if path == "tool/main.cpp" else path
        if len(found) != 1 or not found[0].startswith(where):
            failures.append(f"{path}: expected one problem, found {found}")
    return failures


def main(arguments):
    if arguments == ["--self-test"]:
        problems = self_test()
    else:
        tree = Tree(arguments[0])
        problems = tree.check()
        if arguments[1:2] == ["--nm"]:
            tree.check_objects(arguments[2], arguments[4:])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
