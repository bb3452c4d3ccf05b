//! A buffer between two sides of different speed.

/// Bytes that fit.
const CAPACITY: usize = 64 * 1024;

/// Bytes on their way in one direction, in one piece, so that one call takes them all.
pub(super) struct Queue {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Queue {
    pub(super) fn new(first: &[u8]) -> Self {
        let mut bytes = vec![0; CAPACITY.max(first.len())];
        bytes[..first.len()].copy_from_slice(first);
        Self { bytes, start: 0, end: first.len() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn front(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Half of it has to be free before a full one is filled again: moving its rest for every few bytes is dear.
    pub(super) fn has_room(&self) -> bool {
        self.end < self.bytes.len() || self.start >= self.bytes.len() / 2
    }

    /// Where the next bytes may be put.
    pub(super) fn room(&mut self) -> Option<&mut [u8]> {
        if self.start >= self.bytes.len() / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        Some(&mut self.bytes[self.end..]).filter(|room| !room.is_empty())
    }

    /// That many have been put into [`Queue::room`]; they themselves.
    pub(super) fn push(&mut self, length: usize) -> &[u8] {
        self.end += length;
        &self.bytes[self.end - length..self.end]
    }

    /// Forgets the first of the last `length` bytes.
    pub(super) fn forget(&mut self, length: usize) {
        self.bytes.copy_within(self.end - length + 1..self.end, self.end - length);
        self.end -= 1;
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// That many have left.
    pub(super) fn pop(&mut self, length: usize) {
        self.start += length;
        if self.is_empty() {
            self.clear();
        }
    }
}
