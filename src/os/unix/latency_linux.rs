//! Linux: FTDI adapters collect received bytes for 16 ms; ASYNC_LOW_LATENCY makes that 1 ms while the port is ours.

use std::os::fd::AsFd;

use rustix::ioctl::{Getter, Setter, ioctl};

/// `ASYNC_LOW_LATENCY` of `linux/tty_flags.h`.
const LOW_LATENCY: i32 = 1 << 13;

/// `struct serial_struct` of `linux/serial.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Saved {
    kind: i32,
    line: i32,
    port: u32,
    irq: i32,
    flags: i32,
    xmit_fifo_size: i32,
    custom_divisor: i32,
    baud_base: i32,
    close_delay: u16,
    io_type: i8,
    reserved: i8,
    hub6: i32,
    closing_wait: u16,
    closing_wait2: u16,
    iomem_base: usize,
    iomem_reg_shift: u16,
    port_high: u32,
    iomap_base: usize,
}

/// `TIOCGSERIAL` and `TIOCSSERIAL` of `asm-generic/ioctls.h`.
const GET: rustix::ioctl::Opcode = 0x541E;
const SET: rustix::ioctl::Opcode = 0x541F;

/// Asks the driver not to collect bytes; what to restore if it was not so already. Drivers without the notion say so.
pub(super) fn lower(port: impl AsFd) -> Option<Saved> {
    // SAFETY: TIOCGSERIAL fills in a `serial_struct`, whose layout `Saved` has; every bit pattern is valid in it.
    #[allow(unsafe_code)]
    let saved = unsafe { ioctl(&port, Getter::<GET, Saved>::new()) }.ok()?;
    if saved.flags & LOW_LATENCY != 0 {
        return None;
    }
    set(&port, Saved { flags: saved.flags | LOW_LATENCY, ..saved }).then_some(saved)
}

/// Puts the driver back as it was.
pub(super) fn restore(port: impl AsFd, saved: &Saved) {
    set(port, *saved);
}

fn set(port: impl AsFd, serial: Saved) -> bool {
    // SAFETY: TIOCSSERIAL reads a `serial_struct`, whose layout `Saved` has, and keeps no reference to it.
    #[allow(unsafe_code)]
    unsafe { ioctl(port, Setter::<SET, Saved>::new(serial)) }.is_ok()
}
