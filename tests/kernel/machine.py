"""Boot the kernel in QEMU and talk to its UART, for the tests beside this file.

A Machine is one emulated board: what it is made of is in its constructor, what it prints comes out
of expect() and rest(), what is sent goes in as if typed. It ends with the `with` block that began
it, whatever happens; every wait has a limit. Tap collects results and prints them.
"""
import os
import re
import select
import signal
import subprocess
import sys
import time

BUILD = os.environ.get("LARDER_BUILD", "build")
BOARDS = ("raspberry-pi-4", "raspberry-pi-3", "qemu-virt")
# An emulated core is slow, and the test machine may be busy: generous, but finite.
WAIT_SECONDS = 60

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[78])")


def size_bytes(text):
    """512M, 2G."""
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def plain(text):
    """Text as a person reads it: no escape sequences, no carriage returns."""
    return ESCAPES.sub("", text).replace("\r", "")


class Machine:
    """A board that runs, by the command that runs it; `terminal` is a descriptor to run it on."""

    def __init__(self, command, terminal=None):
        self.text = ""  # everything it has printed, as a person reads it
        self.raw = b""
        self.seen = 0
        stream = subprocess.PIPE if terminal is None else terminal
        self.process = subprocess.Popen(command, stdin=stream, stdout=stream,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        if terminal is None:
            os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass

    def read(self, seconds):
        """Take what has come, waiting at most so long for something. False at the end."""
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, seconds))
        if not ready:
            return True
        try:
            data = self.process.stdout.read(65536)
        except OSError:  # the other end of a terminal is gone
            data = b""
        if data == b"":
            return False
        if data:
            self.raw += data
            # Decoded anew each time: a sequence may have been cut in two.
            self.text = plain(self.raw.decode("utf-8", "replace"))
        return True

    def expect(self, pattern, seconds=WAIT_SECONDS):
        """Wait for a regular expression behind what was expected before. The match, or None."""
        end = time.monotonic() + seconds
        while True:
            match = re.compile(pattern, re.MULTILINE).search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            if time.monotonic() >= end or not self.read(min(1, end - time.monotonic())):
                return None

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        # A UART has a queue of 16 bytes, and the kernel takes them one at a time.
        for start in range(0, len(data), 8):
            try:
                self.process.stdin.write(data[start:start + 8])
                self.process.stdin.flush()
            except OSError:  # it has ended
                return
            self.read(0.005)

    def wait(self, seconds=WAIT_SECONDS):
        """Until it ends; its exit code, or None if it had to be killed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.read(min(1, end - time.monotonic())):
                break
        try:
            return self.process.wait(timeout=max(1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def tail(self, lines=25):
        return "\n".join(self.text.splitlines()[-lines:])


def boot(board, words="", ram=None, cpus=4, level=2, tree=None, variant="kernel", limit=300):
    """A Machine by tools/boot-kernel, which knows the boards.

    board     one of BOARDS
    words     kernel command line
    ram       of qemu-virt, such as "2G"
    cpus      1 to 4
    level     exception level of entry: 1 or 2 on qemu-virt, 2 or 3 on the Pis
    tree      file name of another device tree, or "none"; otherwise the board has its own
    variant   folder of the image: "kernel", or "kernel-asserts" with the core's assertions
    """
    command = ["tools/boot-kernel", "--board", board, "--cpus", str(cpus), "--limit", str(limit),
               "--entry", "el%d" % level, "--qemu", "-action", "--qemu", "reboot=reset"]
    command += ["--image", os.path.join(BUILD, variant, "kernel8.img")]
    if ram:
        command += ["--memory", ram]
    if tree:
        command += ["--dtb", tree]
    return Machine(command + words.split())


class Tap:
    """Results, in the Test Anything Protocol."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, details=""):
        self.count += 1
        good = bool(good)
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        if not good:
            for line in str(details).splitlines():
                print("#   " + line)
        sys.stdout.flush()
        return good

    def skip(self, name, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, why))

    def end(self):
        print("1..%d" % self.count)
        sys.stdout.flush()
        sys.exit(1 if self.failed else 0)
