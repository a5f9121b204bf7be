//! Reads files of weights. They are part of the program, and a test reads them all.

/// What is left of a file.
pub(crate) struct Reader(pub(crate) &'static [u8]);

/// A matrix as whole numbers, with the scale of each row.
pub(crate) struct Rows {
    scales: Vec<f32>,
    numbers: &'static [u8],
    width: usize,
}

impl Reader {
    /// The next bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'static [u8] {
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }

    /// The next count.
    pub(crate) fn count(&mut self) -> usize {
        self.floats_of(|bytes| u32::from_le_bytes(bytes) as usize, 1)[0]
    }

    /// The next numbers.
    pub(crate) fn floats(&mut self, count: usize) -> Vec<f32> {
        self.floats_of(f32::from_le_bytes, count)
    }

    fn floats_of<T>(&mut self, read: impl Fn([u8; 4]) -> T, count: usize) -> Vec<T> {
        let (parts, _) = self.take(4 * count).as_chunks::<4>();
        parts.iter().map(|bytes| read(*bytes)).collect()
    }

    /// The next matrix.
    pub(crate) fn rows(&mut self, height: usize, width: usize) -> Rows {
        let scales = self.floats(height);
        Rows { scales, numbers: self.take(height * width), width }
    }
}

impl Rows {
    /// One row.
    pub(crate) fn row(&self, at: usize) -> impl Iterator<Item = f32> {
        let scale = self.scales[at];
        let numbers = &self.numbers[at * self.width..(at + 1) * self.width];
        numbers.iter().map(move |number| f32::from(number.cast_signed()) * scale)
    }
}
