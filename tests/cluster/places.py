"""Where the processes of a cluster run: a folder, a network namespace and a user for each.

Where the system allows it, each process lives in a network namespace of its own, packets between
them pass a delay line (delay_line.cpp), and each runs as a user of its own whose folder nobody else
may enter. Elsewhere they meet on plain loopback, or run as one user; `said()` tells which.
"""

import ctypes
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request

LINK_US = 5_000  # from each process to the middle: 20 ms there and back between two
SLOW_LINK_US = 35_000  # 80 ms there and back
LOSS_PER_MILLE = 30
FIRST_USER = 61_200
CLONE_NEWNET = 0x40000000


class Places:
    def __init__(self, delay_line, names, work, loopback):
        self.names = list(names)
        self.work = work
        self.pids = {}
        self.line = None
        self.why_plain = "as asked for"
        for name in names:
            (work / name).mkdir()
        self.users = self.give_users()
        if not loopback:
            self.make_namespaces(delay_line)

    # --- folders ---------------------------------------------------------------------------------

    def folder(self, name):
        return self.work / name

    def give_users(self):
        """A user for each folder, where this is root and the folders can be reached by others."""
        users = {name: FIRST_USER + i for i, name in enumerate(self.names)}
        try:
            for name, user in users.items():
                os.chown(self.folder(name), user, user)
                self.folder(name).chmod(0o700)
            for name, other in zip(self.names, self.names[1:] + self.names[:1]):
                if self.run_as(users[name], ["ls", str(self.folder(name))]) != 0 or \
                        self.run_as(users[name], ["ls", str(self.folder(other))]) == 0:
                    raise OSError("folders are not apart")
            return users
        except OSError:
            for name in self.names:
                os.chown(self.folder(name), os.getuid(), os.getgid())
            return {}

    @staticmethod
    def user_words(user):
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]

    def run_as(self, user, words):
        return subprocess.run([*self.user_words(user), *words], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode

    def own(self, name, path):
        """Gives a file that was copied into a folder to the folder's user."""
        if self.users:
            os.chown(path, self.users[name], self.users[name])

    # --- links -----------------------------------------------------------------------------------

    def host(self, name):
        return 11 + self.names.index(name)

    def make_namespaces(self, delay_line):
        words = []
        for name in self.names:
            delay = SLOW_LINK_US if name == "slow-link" else LINK_US
            loss = LOSS_PER_MILLE if name == "lossy" else 0
            words.append(f"{name}:{self.host(name)}:{delay}:{LINK_US // 10}:{loss}")
        with open(self.work / "delay_line.err", "w") as errors:
            self.line = subprocess.Popen([delay_line, *words], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=errors, text=True)
        for line in self.line.stdout:
            if line.strip() == "ready":
                return
            name, pid = line.split()
            self.pids[name] = int(pid)
        self.why_plain = (self.work / "delay_line.err").read_text().strip() or "no namespaces"
        self.line.wait()
        self.line = None

    @property
    def real(self):
        return self.line is not None

    def said(self):
        """What is real here, for the first lines of the output."""
        if self.real:
            yield (f"{len(self.names)} processes in network namespaces, {4 * LINK_US // 1000} ms "
                   f"there and back between two, {2 * (LINK_US + SLOW_LINK_US) // 1000} ms to the "
                   f"slow link; the lossy one loses {LOSS_PER_MILLE / 10}% of its packets each way")
        else:
            yield f"PLAIN LOOPBACK, without delay and loss: {self.why_plain}"
        if self.users:
            yield "each process runs as a user of its own, who may enter no folder but its own"
        else:
            yield "ONE USER for all: that no process reads another's folder is not enforced here"

    def address(self, name):
        if self.real:
            return f"10.77.0.{self.host(name)}:9000"
        return f"127.0.0.1:{20_000 + 2 * self.host(name)}"

    def monitor(self, name):
        return "127.0.0.1:9001" if self.real else f"127.0.0.1:{20_001 + 2 * self.host(name)}"

    def prefix(self, name):
        """Words in front of a command; each of them becomes the next one, so that the process id
        stays."""
        words = ["nsenter", "-t", str(self.pids[name]), "-n"] if self.real else []
        return words + (self.user_words(self.users[name]) if self.users else [])

    def ask(self, name, path):
        """What a process's monitor answers, or None when it does not."""
        answer = []

        def in_its_namespace():
            try:
                if self.real:
                    with open(f"/proc/{self.pids[name]}/ns/net") as space:
                        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
                            return
                url = f"http://{self.monitor(name)}{path}"
                try:
                    with urllib.request.urlopen(url, timeout=2) as reply:
                        answer.append(json.load(reply))
                except urllib.error.HTTPError as error:  # /health of what is not well
                    answer.append(json.load(error))
            except (OSError, ValueError):
                pass

        asking = threading.Thread(target=in_its_namespace)
        asking.start()
        asking.join()
        return answer[0] if answer else None

    def close(self):
        if self.real:
            self.line.stdin.close()
            self.line.wait()
