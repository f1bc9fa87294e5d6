#!/usr/bin/env python3
"""Verifies a proof in Python, with nothing but the standard library and libholdfast.so.

    python_verify.py PUBLIC_FOLDER PROOF_FILE [LIBRARY]     0: accepted, 1: refused, 2: not judged
"""
import ctypes
import pathlib
import sys


class Verdict(ctypes.Structure):
    _fields_ = [("reason", ctypes.c_int32), ("has_index", ctypes.c_int32),
                ("index", ctypes.c_uint64)]


class Report(ctypes.Structure):
    """The beginning of holdfast_verify_report: its size says how much of it is wanted."""
    _fields_ = [("struct_size", ctypes.c_size_t), ("verdict", Verdict), ("kind", ctypes.c_int32),
                ("has_chain_id", ctypes.c_uint32), ("has_height", ctypes.c_uint32),
                ("chain_id", ctypes.c_uint8 * 32), ("height", ctypes.c_uint64)]


class HoldfastError(Exception):
    pass


class Holdfast:
    def __init__(self, path="libholdfast.so.1"):
        self.library = ctypes.CDLL(path)
        for name in ("status_name", "reason_name", "reason_meaning", "kind_name"):
            function = getattr(self.library, f"holdfast_{name}")
            function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_int32]
        self.library.holdfast_last_error.restype = ctypes.c_char_p
        self.library.holdfast_verifier_free.argtypes = [ctypes.c_void_p]

    def check(self, status):
        if status != 0:
            name = self.library.holdfast_status_name(status).decode()
            raise HoldfastError(f"{name}: {self.library.holdfast_last_error().decode()}")

    def text(self, name, number):
        return getattr(self.library, f"holdfast_{name}")(number).decode()

    def verify(self, folder, proof):
        """The report on a proof, from a folder of public data."""
        verifier = ctypes.c_void_p()
        report = Report(struct_size=ctypes.sizeof(Report))
        self.check(self.library.holdfast_verifier_load(str(folder).encode(),
                                                       ctypes.byref(verifier)))
        try:
            self.check(self.library.holdfast_verifier_verify(
                verifier, proof, ctypes.c_size_t(len(proof)), None, None, ctypes.byref(report)))
        finally:
            self.library.holdfast_verifier_free(verifier)
        return report


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        holdfast = Holdfast(*arguments[2:])
        report = holdfast.verify(arguments[0], pathlib.Path(arguments[1]).read_bytes())
    except (HoldfastError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{holdfast.text('kind_name', report.kind)} of height {report.height}: "
          f"{holdfast.text('reason_name', report.verdict.reason)}")
    if report.verdict.reason == 0:
        return 0
    print(holdfast.text("reason_meaning", report.verdict.reason))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
