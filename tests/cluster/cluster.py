"""Nine provers, five challengers, two nodes and a reader, on machines that share no folder.

Called by scripts/cluster, which says how. Every process is the `holdfast` command, but for the
provers that cheat (cheating_daemon.cpp): the same daemon with a cheat in front. What is handed
around is network.params and public keys, as their owners would send them; a standby is given the
operator's key when the operator's machine is gone. places.py says what the system allows.

The run goes on in stages, each of which says what it does, what is expected and what was seen:
setting up, blocks (in which provers lose data, crash, cheat, and lose a disk), what came of it,
killing each process with signal 9, and the end of the first node. The exit status is 0 only when
every expectation held.
"""

import argparse
import os
import pathlib
import shutil
import sys
import time

import stages
from machines import Failure
from rules import say


def main():
    parser = argparse.ArgumentParser(prog="scripts/cluster", description=__doc__.split("\n\n")[0])
    parser.add_argument("--blocks", type=int, default=50, help="blocks before the kills (50)")
    parser.add_argument("--block-ms", type=int, default=2000, help="time of a block (2000)")
    parser.add_argument("--loopback", action="store_true", help="no namespaces, no delay, no loss")
    parser.add_argument("--no-kills", dest="kills", action="store_false",
                        help="neither kill -9 of each process nor the end of the first node")
    parser.add_argument("--work", required=True, help="folder to work in; emptied first")
    for program in ("holdfast", "cheater", "delay-line"):
        parser.add_argument(f"--{program}", type=os.path.abspath, required=True,
                            help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.blocks < 15 or options.block_ms < 1000:
        parser.error("at least 15 blocks of 1000 ms: fewer show nothing")
    work = pathlib.Path(options.work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    start = time.monotonic()
    cluster = stages.Cluster(options, work)
    try:
        cluster.run_all()
    except Failure as failure:
        cluster.failed.append(str(failure))
        say(f"FAILED: {failure}")
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        cluster.end()
    say(f"{cluster.held} held, {len(cluster.failed)} failed, "
               f"{time.monotonic() - start:.0f} s; logs are in {os.path.relpath(work)}")
    return 1 if cluster.failed else 0


if __name__ == "__main__":
    sys.exit(main())
