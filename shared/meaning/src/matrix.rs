//! Multiplication by a matrix of weights, with the vector instructions that the processor has.

use pulp::Simd;

use crate::weights::Reader;

/// Columns that lie side by side in memory: as many as the widest instructions take at once, twice.
const PANEL: usize = 32;
/// Rows that are multiplied together, so that each weight is loaded once for all of them. With two vectors each they fill
/// half of the registers, which is enough that no sum waits for another.
const TOGETHER: usize = 4;
/// Sums that are made side by side, so that none waits for another.
const LANES: usize = 16;

/// A matrix of weights, and what is added after multiplication by it.
pub(crate) struct Linear {
    /// Panel by panel, so that what is read together lies together.
    panels: Vec<[f32; PANEL]>,
    bias: Vec<f32>,
    height: usize,
}

impl Linear {
    /// Reads a matrix that takes `height` numbers and gives `width`, which is a multiple of the panels' width.
    pub(crate) fn read(from: &mut Reader, width: usize, height: usize) -> Self {
        assert_eq!(width % PANEL, 0, "a matrix consists of whole panels");
        let rows = from.rows(width, height);
        let mut panels = vec![[0.0; PANEL]; width * height / PANEL];
        for column in 0..width {
            for (row, number) in rows.row(column).enumerate() {
                panels[column / PANEL * height + row][column % PANEL] = number;
            }
        }
        Self { panels, bias: from.floats(width), height }
    }

    /// Multiplies each row of `x`; the results are a row each, too.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, simd: S, x: &[f32]) -> Vec<f32> {
        let (width, height) = (self.bias.len(), self.height);
        let mut out = vec![0.0; x.len() / height * width];
        let blocks = self.blocks(x);
        let pair = 2 * S::F32_LANES;
        // All rows for a panel, then the next: a panel stays in the nearest cache, all of them would not.
        for (at, panel) in self.panels.chunks_exact(height).enumerate() {
            let outs = out.chunks_mut(TOGETHER * width);
            for (block, out) in blocks.chunks_exact(height).zip(outs) {
                for within in (0..PANEL).step_by(pair) {
                    let column = at * PANEL + within;
                    let (bias, _) = S::as_simd_f32s(&self.bias[column..column + pair]);
                    let mut sums = [[bias[0], bias[1]]; TOGETHER];
                    for (numbers, weights) in block.iter().zip(panel) {
                        let (weights, _) = S::as_simd_f32s(&weights[within..within + pair]);
                        for (sums, number) in sums.iter_mut().zip(numbers) {
                            let number = simd.splat_f32s(*number);
                            sums[0] = simd.mul_add_e_f32s(number, weights[0], sums[0]);
                            sums[1] = simd.mul_add_e_f32s(number, weights[1], sums[1]);
                        }
                    }
                    for (row, sums) in out.chunks_exact_mut(width).zip(&sums) {
                        let to = &mut row[column..column + pair];
                        S::as_mut_simd_f32s(to).0.copy_from_slice(sums);
                    }
                }
            }
        }
        out
    }

    /// Rows as they are multiplied: some together, number by number; the last ones may be zero.
    fn blocks(&self, x: &[f32]) -> Vec<[f32; TOGETHER]> {
        let rows = x.len() / self.height;
        let mut blocks = vec![[0.0; TOGETHER]; rows.div_ceil(TOGETHER) * self.height];
        for (row, x) in x.chunks_exact(self.height).enumerate() {
            let block = &mut blocks[row / TOGETHER * self.height..];
            for (numbers, number) in block.iter_mut().zip(x) {
                numbers[row % TOGETHER] = *number;
            }
        }
        blocks
    }
}

/// The sum of the products of two rows of the same length.
#[inline(always)]
pub(crate) fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (one, rest) = one.as_chunks::<LANES>();
    let (other, of_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in one.iter().zip(other) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    let rest: f32 = rest.iter().zip(of_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, Simd, WithSimd};

    use super::{Linear, PANEL, dot};

    struct Apply<'a>(&'a Linear, &'a [f32]);

    impl WithSimd for Apply<'_> {
        type Output = Vec<f32>;

        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            self.0.apply(simd, self.1)
        }
    }

    /// Every number of rows, so that those that are left over are multiplied, too.
    #[test]
    fn products_are_those_of_the_definition() {
        let (width, height) = (2 * PANEL, 7);
        let number = |at: usize| (at * 37 % 101) as f32 / 50.0 - 1.0;
        let weight = |column: usize, row: usize| number(column * height + row);
        let mut panels = vec![[0.0; PANEL]; width * height / PANEL];
        for column in 0..width {
            for row in 0..height {
                panels[column / PANEL * height + row][column % PANEL] = weight(column, row);
            }
        }
        let linear = Linear { panels, bias: (0..width).map(number).collect(), height };
        for rows in 0..10 {
            let x: Vec<f32> = (0..rows * height).map(|at| number(at + 5)).collect();
            // By the widest instructions of this processor, and by those that every one has.
            let products =
                [Arch::new().dispatch(Apply(&linear, &x)), Apply(&linear, &x).with_simd(Scalar)];
            for product in products {
                assert_eq!(product.len(), rows * width);
                for (product, x) in product.chunks_exact(width).zip(x.chunks_exact(height)) {
                    for (column, product) in product.iter().enumerate() {
                        let weights: Vec<f32> = (0..height).map(|at| weight(column, at)).collect();
                        let expected = dot(&weights, x) + number(column);
                        assert!((product - expected).abs() < 1e-5);
                    }
                }
            }
        }
    }
}
