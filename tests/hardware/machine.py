"""A Linux guest under QEMU with UARTs and an FTDI adapter, and virtual meters at their other ends.

QEMU sets the rate that the guest gives to a port on the pseudo-terminal behind it; a cable passes that on to the meter,
which garbles what comes at another rate than its own. Nothing is paced by QEMU: iecmeter --real-time does it.
"""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import subprocess
import termios
import threading
import time
import tty

MODULES = """virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console
usb-common usbcore xhci-hcd xhci-pci usbserial ftdi_sio""".split()

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /var/lock
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
while read -r module; do insmod "/modules/$module.ko"; done </modules/order
until [ -c /dev/hvc0 ] && [ -c /dev/ttyUSB0 ]; do sleep 0.1; done
exec </dev/hvc0 >/dev/hvc0 2>&1
stty raw -echo
echo 1 >/proc/sys/kernel/printk
echo @@up@@
dd bs=1 2>/dev/null | sh 2>&1 | dd bs=4096 2>/dev/null
poweroff -f
"""

RATES = {value: int(name[1:]) for name, value in vars(termios).items() if re.fullmatch(r"B[1-9]\d+", name)}


def module(folder, name):
    """A kernel module's bytes, whatever it is packed with."""
    found = [path for path in folder.rglob("*.ko*") if path.name.split(".")[0] == name]
    if not found:
        return None  # built into the kernel
    unpack = {".ko": ["cat"], ".xz": ["xz", "-dc"], ".zst": ["zstd", "-dc"]}[found[0].suffix]
    return subprocess.run([*unpack, found[0]], check=True, stdout=subprocess.PIPE).stdout


def initramfs(work, kernel, binaries):
    """Packs busybox, the programs and the modules."""
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ["bin", "modules", "etc"]:
        (root / folder).mkdir(parents=True)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    users = {"root": "0:0", "reader": "1000:1000", "member": "1001:20"}
    (root / "etc/passwd").write_text("".join(f"{user}:x:{ids}::/:/bin/sh\n" for user, ids in users.items()))
    (root / "etc/group").write_text("root:x:0:\ndialout:x:20:\nreader:x:1000:\n")
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for binary in binaries:
        shutil.copy(binary, root / "bin" / binary.name)
    order = []
    for name in MODULES:
        code = module(kernel / "lib/modules", name)
        if code is not None:
            (root / f"modules/{name}.ko").write_bytes(code)
            order.append(name)
    (root / "modules/order").write_text("".join(f"{name}\n" for name in order))
    names = b"\0".join(bytes(path.relative_to(root)) for path in sorted(root.rglob("*"))) + b"\0"
    packed = work / "initramfs.cpio"
    with packed.open("wb") as out:
        pack = ["cpio", "--null", "-o", "-H", "newc", "--quiet"]
        subprocess.run(pack, input=names, cwd=root, stdout=out, check=True)
    return packed


class Cable:
    """What lies between a port of the guest and a meter."""

    def __init__(self, meter):
        self.meter_program = meter
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        self.slave = slave  # kept open: QEMU comes and goes
        self.far = None
        self.held = False  # takes nothing from the guest
        self.process = None
        self.log = []  # (time, direction, bytes)
        threading.Thread(target=self.carry, daemon=True).start()

    def plug(self, *options):
        """Puts a new meter at the far end."""
        self.unplug()
        self.process = subprocess.Popen([self.meter_program, *options], stdout=subprocess.PIPE, text=True)
        path = self.process.stdout.readline().strip()
        self.drop_input()
        self.log.clear()
        far = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.copy_rate(far)
        self.far = far

    def unplug(self):
        far, self.far = self.far, None
        if far is not None:
            time.sleep(0.05)
            os.close(far)
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def drop_input(self):
        """A wire holds nothing; QEMU's end of this one does while the guest has its port closed."""
        termios.tcflush(self.slave, termios.TCIFLUSH)
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 65536)

    def rate(self):
        return RATES.get(termios.tcgetattr(self.master)[4])

    def copy_rate(self, far):
        speed = termios.tcgetattr(self.master)[4]
        settings = termios.tcgetattr(far)
        if settings[4] != speed:
            settings[4] = settings[5] = speed
            termios.tcsetattr(far, termios.TCSANOW, settings)
            self.log.append((time.time(), "rate", RATES.get(speed)))

    def carry(self):
        """Never blocks: QEMU may wait for one direction while the other is full."""
        os.set_blocking(self.master, False)
        to_meter, to_guest, before = b"", b"", None
        while True:
            far = self.far
            if far != before:
                to_meter, to_guest, before = b"", b"", far
            reading = [self.master] if len(to_meter) < 65536 and not self.held else []
            reading += [far] if far is not None else []
            writing = [self.master] if to_guest else []
            writing += [far] if to_meter and far is not None else []
            try:
                readable, writable, _ = select.select(reading, writing, [], 0.001)
                if far is not None:
                    self.copy_rate(far)
                if self.master in readable:
                    sent = os.read(self.master, 4096)
                    self.log.append((time.time(), "out", sent))
                    to_meter += sent if far is not None else b""
                if far in readable:
                    received = os.read(far, 4096)
                    self.log.append((time.time(), "in", received))
                    to_guest += received
                if far in writable or to_meter and far is not None:
                    to_meter = to_meter[os.write(far, to_meter):]
                if to_guest:
                    to_guest = to_guest[os.write(self.master, to_guest):]
            except BlockingIOError:
                pass
            except (OSError, ValueError, termios.error):
                time.sleep(0.001)


class Guest:
    """The machine under test, driven through a shell on its virtio console."""

    def __init__(self, work, kernel, packed, cables):
        self.trace_path = work / "qemu.log"
        self.trace_path.unlink(missing_ok=True)
        events = work / "events"
        events.write_text("serial_write\nserial_update_parameters\nusb_serial_*\n")
        for name in ["console", "qmp", "telnet", "pair"]:
            (work / name).unlink(missing_ok=True)
        image = next((kernel / "boot").glob("vmlinuz-*"))
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
             "-kernel", image, "-initrd", packed, "-append", "quiet panic=-1 8250.nr_uarts=8 console=hvc0",
             "-msg", "timestamp=on", "-trace", f"events={events}", "-D", self.trace_path,
             "-qmp", f"unix:{work}/qmp,server=on,wait=off",
             "-chardev", f"socket,id=console,path={work}/console,server=on,wait=off",
             "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=console",
             "-chardev", f"serial,id=uart,path={cables['uart'].name}",
             "-device", "isa-serial,chardev=uart,index=1",
             "-chardev", f"socket,id=left,path={work}/pair,server=on,wait=off",
             "-chardev", f"socket,id=right,path={work}/pair",
             "-device", "pci-serial,chardev=left", "-device", "pci-serial,chardev=right",
             # A telnet client can send a BREAK.
             "-chardev", f"socket,id=telnet,path={work}/telnet,server=on,wait=off,telnet=on",
             "-device", "pci-serial,chardev=telnet",
             "-chardev", f"serial,id=line,path={cables['ftdi'].name}",
             "-device", "qemu-xhci", "-device", "usb-serial,chardev=line,id=ftdi"])
        try:
            self.greet(work)
        except BaseException:
            self.end()
            raise

    def greet(self, work):
        self.console = self.connect(work / "console")
        self.qmp_file = self.connect(work / "qmp").makefile("rw")
        self.qmp_file.readline()
        self.qmp("qmp_capabilities")
        self.pending = b""
        self.until(rb"@@up@@\n", 120)

    def connect(self, path):
        end = time.time() + 20
        while True:
            try:
                plug = socket.socket(socket.AF_UNIX)
                plug.connect(str(path))
                return plug
            except OSError:
                if time.time() > end:
                    raise
                time.sleep(0.1)

    def qmp(self, command, **arguments):
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "return" in answer or "error" in answer:
                return answer

    def unplug(self):
        self.qmp("device_del", id="ftdi")

    def replug(self):
        """The adapter comes back; whether under its old name."""
        end = time.time() + 5
        while "error" in self.qmp("device_add", driver="usb-serial", chardev="line", id="ftdi") and time.time() < end:
            time.sleep(0.05)
        self.sh("until ls /dev/ttyUSB* >/dev/null 2>&1; do sleep 0.05; done")
        return self.sh("[ -c /dev/ttyUSB0 ]")[0] == 0

    def until(self, pattern, timeout):
        end = time.time() + timeout
        while not (found := re.search(pattern, self.pending)):
            self.console.settimeout(max(0.01, end - time.time()))
            try:
                came = self.console.recv(65536)
            except TimeoutError:
                raise TimeoutError(f"guest: no {pattern!r} in {self.pending[-2000:]!r}") from None
            if not came:
                raise EOFError(f"guest ended: {self.pending[-2000:]!r}")
            self.pending += came.replace(b"\r", b"")
        before, self.pending = self.pending[:found.start()], self.pending[found.end():]
        return before, found

    def sh(self, command, timeout=60):
        """Status and output of a command line in the guest."""
        self.console.sendall(f"{{ {command}\n}} </dev/null 2>&1; echo \"@@\"$?\"@@\"\n".encode())
        before, found = self.until(rb"@@(\d+)@@\n", timeout)
        return int(found[1]), before.decode(errors="replace")

    def out(self, command, timeout=60):
        return self.sh(command, timeout)[1].strip()

    def trace(self, since=0.0):
        """What the guest's drivers did to the hardware: (time, event and arguments)."""
        time.sleep(0.05)
        lines = re.findall(r"\d+@(\d+\.\d+):(.*)", self.trace_path.read_text(errors="replace"))
        return [(float(at), what) for at, what in lines if float(at) >= since]

    def end(self):
        self.process.kill()
        self.process.wait()
