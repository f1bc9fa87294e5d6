"""One machine of a cluster: a folder, a key, settings, at most one program that runs for long."""

import json
import shutil
import signal
import subprocess
import threading
import time

STOP_S = 30
READY_S = 60
TRIES = 5


class Failure(Exception):
    """The run cannot go on."""


class Machine:
    def __init__(self, name, places, program):
        self.name = name
        self.places = places
        self.program = program
        self.folder = places.folder(name)
        self.key = None
        self.command = None
        self.process = None
        self.starts = 0

    # --- commands --------------------------------------------------------------------------------

    def run(self, *words):
        """A `holdfast` command of this machine's owner: in its folder, as its user, on its line."""
        return subprocess.run([*self.places.prefix(self.name), self.program, *map(str, words)],
                              cwd=self.folder, capture_output=True, text=True, check=False)

    def holdfast(self, *words):
        done = self.run(*words, "--json")
        if done.returncode != 0:
            raise Failure(f"{self.name}: holdfast {' '.join(map(str, words))}: exit status "
                          f"{done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def over_network(self, *words):
        """The same of a command that asks a node: again when a busy machine lets it wait."""
        for _ in range(TRIES - 1):
            try:
                return self.holdfast(*words)
            except Failure:
                time.sleep(1)
        return self.holdfast(*words)

    def make_key(self):
        self.key = self.holdfast("keygen", f"{self.name}.key")["public_key"]

    def take(self, file, name=None, mode=0o644):
        """A file that somebody sends: copied in, not shared."""
        target = self.folder / (name or file.name)
        shutil.copyfile(file, target)
        target.chmod(mode)
        self.places.own(self.name, target)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        self.places.own(self.name, self.folder / name)

    @property
    def address(self):
        """As others name it: KEY@HOST:PORT."""
        return f"{self.key}@{self.places.address(self.name)}"

    # --- the program that runs -------------------------------------------------------------------

    def start(self, ready=True):
        with open(self.folder / "stderr", "a") as errors:
            output = subprocess.PIPE if ready else open(self.folder / "stdout", "a")
            self.process = subprocess.Popen([*self.places.prefix(self.name), *self.command],
                                            cwd=self.folder, stdout=output, stderr=errors,
                                            text=True)
        self.starts += 1
        if not ready:
            output.close()
            return
        # What a daemon says at its end is small, and its log is a file: nothing fills the pipe.
        waiting = threading.Timer(READY_S, self.process.kill)
        waiting.start()
        line = self.process.stdout.readline()
        waiting.cancel()
        if '"ready"' not in line:
            self.process.kill()
            line += self.process.stdout.read()
            self.kill()
            raise Failure(f"{self.name} did not start: {line}"
                          f"{(self.folder / 'stderr').read_text()[-2000:]}")

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def stop(self):
        """Whether it ended as it should."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{self.name} did not stop within {STOP_S} s") from None
        return process.returncode == 0

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def status(self):
        return self.places.ask(self.name, "/status")

    def health(self):
        return self.places.ask(self.name, "/health")
