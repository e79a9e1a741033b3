"""One run of one workload under one allocator: what it cost, and a digest of what it said."""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from plan import REDIS_LOAD

LIMIT_S = 120
SERVER_STARTS_S = 20


class Failure(Exception):
    """A run that cannot count; the text says why."""


class Bench:
    def __init__(self, folder, cpus, environment):
        self.folder = folder
        self.cpus = cpus
        # Nothing else of the caller's environment: no tuning of any allocator gets in unseen.
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                            **environment}

    def launch(self, cpus, library, output, command):
        return [os.path.join(self.folder, "launch"), ",".join(map(str, cpus)), library, output,
                *command]

    def whose_malloc(self, allocator):
        """The file that malloc comes from when this allocator is preloaded."""
        with tempfile.NamedTemporaryFile() as output:
            self.measured(self.cpus, allocator.library, output.name,
                          [os.path.join(self.folder, "whose")], {}, "/dev/null")
            return output.read().decode().strip()

    def measured(self, cpus, library, output, command, environment, stdin):
        with open(stdin, encoding="utf-8") as source:
            try:
                done = subprocess.run(self.launch(cpus, library, output, command), stdin=source,
                                      capture_output=True, timeout=LIMIT_S,
                                      env={**self.environment, **environment})
            except subprocess.TimeoutExpired as late:
                raise Failure(f"not done after {LIMIT_S} s") from late
        return judged(done.stdout, done.stderr)

    def run(self, workload, allocator):
        if workload.server:
            return self.run_server(workload, allocator)
        with tempfile.TemporaryDirectory(prefix="larder-bench-") as out:
            command = [word.replace("{out}", out) for word in workload.command]
            cost = self.measured(self.cpus, allocator.library, os.path.join(out, "stdout"), command,
                                 workload.environment, workload.input)
            cost["output"] = digest(out)
        return cost

    def run_server(self, workload, allocator):
        """Server on the first processor, load on the second. The time is the client's, the rest the
        server's; keys are drawn at random by the client, so there is no output to compare."""
        out = tempfile.mkdtemp(prefix="larder-bench-")
        address = os.path.join(out, "socket")
        redis, load = workload.command
        serve = [redis, "--port", "0", "--unixsocket", address, "--save", "", "--appendonly", "no",
                 "--jemalloc-bg-thread", "no"]
        server = subprocess.Popen(
            self.launch(self.cpus[:1], allocator.library, os.path.join(out, "log"), serve), cwd=out,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment)
        try:
            wait_for(address, server)
            client = self.measured(self.cpus[-1:], "", os.path.join(out, "client"),
                                   [program_path(load), "-s", address, *REDIS_LOAD], {},
                                   "/dev/null")
            ask(address, b"SHUTDOWN NOSAVE\r\n")
            said, complaints = server.communicate(timeout=LIMIT_S)
        finally:
            server.kill()
            server.wait()
            shutil.rmtree(out, ignore_errors=True)
        cost = judged(said, complaints)
        cost["wall_s"] = client["wall_s"]
        cost["output"] = ""
        return cost


def program_path(path):
    return os.path.realpath(path)


def judged(said, complaints):
    """The launcher's line, unless something went wrong."""
    text = complaints.decode(errors="replace").strip()
    if "cannot be preloaded" in text:
        raise Failure(text.splitlines()[0])
    try:
        cost = json.loads(said)
    except ValueError as none:
        raise Failure(text or "the launcher said nothing") from none
    status = cost.pop("status")
    if status:
        last = text.splitlines()[-1] if text else ""
        raise Failure((f"killed by signal {-status}" if status < 0 else f"status {status}")
                      + (f": {last}" if last else ""))
    return cost


def digest(folder):
    total = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            total.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()[:16]


def ask(address, request):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(LIMIT_S)
        link.connect(address)
        link.sendall(request)
        return link.recv(64)


def wait_for(address, server):
    end = time.monotonic() + SERVER_STARTS_S
    while time.monotonic() < end and server.poll() is None:
        try:
            if ask(address, b"PING\r\n").startswith(b"+PONG"):
                return
        except OSError:
            time.sleep(0.02)
    raise Failure("the server did not start")
