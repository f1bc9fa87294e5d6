#!/usr/bin/env python3
"""What the header of the C ABI declares, held against the library, its tables and its callers.

    every_function.py symbols HEADER NM LIBRARY   the library exports the header's functions, no more
    every_function.py reasons HEADER REASONS.DEF  the header's reasons are the library's, in number and name
    every_function.py buffers HEADER FOLDER       each function that fills a buffer is given too little room
    every_function.py nulls HEADER                a C program on stdout that calls every function with NULLs
                                                  and with handles of another type
"""
import pathlib
import re
import subprocess
import sys

FUNCTION = re.compile(r"HOLDFAST_API\s+([\w\s*]+?)(holdfast_\w+)\(([^;]*)\);")


def functions(header):
    """(result, name, [parameter types]) of every function."""
    text = re.sub(r"//[^\n]*", "", open(header, encoding="utf-8").read())
    for result, name, parameters in FUNCTION.findall(text):
        listed = [p.strip() for p in " ".join(parameters.split()).split(",")]
        types = []
        for p in listed:
            if p == "void":
                continue
            array = re.fullmatch(r"(.*?)\w+\[\d+\]", p)
            types.append(array[1].strip() + "*" if array else re.fullmatch(r"(.*?)(\w+)", p)[1].strip())
        yield " ".join(result.split()), name, types


def handles(header):
    text = open(header, encoding="utf-8").read()
    return set(re.findall(r"typedef struct (holdfast_\w+) \1;", text))


def check_symbols(header, nm, library):
    declared = {name for _, name, _ in functions(header)}
    listing = subprocess.run([nm, "-D", "--defined-only", library], capture_output=True, text=True,
                             check=True).stdout
    exported = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    exported -= {"HOLDFAST_1"}  # the name of the version itself
    print(f"{len(declared)} functions declared, {len(exported)} symbols exported")
    for name in sorted(declared - exported):
        print(f"declared and not exported: {name}")
    for name in sorted(exported - declared):
        print(f"exported and not declared: {name}")
    return declared != exported or not declared


def check_reasons(header, table):
    text = open(header, encoding="utf-8").read()
    shown = re.findall(r"\bHOLDFAST_REASON_(\w+) = (\d+)", text)
    names = re.findall(r'^HOLDFAST_REASON\(k\w+, "([^"]+)"', open(table, encoding="utf-8").read(), re.M)
    wanted = [(name.upper().replace("-", "_"), str(i)) for i, name in enumerate(names)]
    for got, want in zip(shown, wanted):
        if got != want:
            print(f"the header says {got}, the table {want}")
    print(f"{len(shown)} reasons in the header, {len(wanted)} in the table")
    return shown != wanted


def check_buffers(header, folder):
    """In the table of buffers.c, or called with HOLDFAST_SHORT_BUFFER expected in another program."""
    fillers = {name for _, name, types in functions(header) if "size_t*" in types}
    texts = {path.name: path.read_text(encoding="utf-8") for path in pathlib.Path(folder).glob("*.c")}
    table = {f"holdfast_{name}" for name in re.findall(r"\bENTRY\((\w+)\)", texts["buffers.c"])}
    by_name = set(re.findall(r"HOLDFAST_SHORT_BUFFER,\s*(holdfast_\w+)\(", "".join(texts.values())))
    print(f"{len(fillers)} functions fill buffers, {len(fillers & (table | by_name))} are given too little room")
    for name in sorted(fillers - table - by_name):
        print(f"never given too little room: {name}")
    return not fillers <= table | by_name


def null_program(header):
    known = handles(header)
    print('#include "host.h"\n#include <string.h>\n')
    print("static int refuses(const char* name, holdfast_status status) {")
    print("    if (status == HOLDFAST_INVALID_ARGUMENT || status == HOLDFAST_WRONG_HANDLE) return 0;")
    print("    if (status == HOLDFAST_REFUSED) return 0;  // no bytes are no object")
    print('    fprintf(stderr, "%s: %s\\n", name, holdfast_status_name(status));\n    return 1;\n}\n')
    print("int main(void) {\n    int bad = 0;\n    holdfast_signer* signer = NULL;")
    print("    holdfast_network* network = NULL;\n    OK(holdfast_signer_generate(&signer));")
    print('    OK(holdfast_network_from_preset("dev", NULL, 0, &network));')
    for result, name, types in functions(header):
        nothing = ["NULL" if t.endswith("*") or t == "const char* const*" else "0" for t in types]
        if result != "holdfast_status":
            if result == "void":
                print(f"    {name}({', '.join(nothing)});")
            continue
        print(f'    bad += refuses("{name}", {name}({", ".join(nothing)}));')
        for i, t in enumerate(types):
            handle = re.fullmatch(r"(?:const )?(holdfast_\w+)\*", t)
            if not handle or handle[1] not in known:
                continue
            other = "network" if handle[1] == "holdfast_signer" else "signer"
            given = list(nothing)
            given[i] = f"(void*){other}"
            print(f'    bad += refuses("{name}", {name}({", ".join(given)}));')
    print("    holdfast_network_free(network);\n    holdfast_signer_free(signer);")
    print('    if (bad == 0) puts("every function refuses NULL and the handles of others");')
    print("    return bad != 0;\n}")
    return False


def main(arguments):
    what = {"symbols": check_symbols, "reasons": check_reasons, "buffers": check_buffers, "nulls": null_program}
    if not arguments or arguments[0] not in what:
        print(__doc__)
        return 2
    return 1 if what[arguments[0]](*arguments[1:]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
