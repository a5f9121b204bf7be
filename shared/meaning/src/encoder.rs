//! A small encoder, which says of a text what the first layers of a large one say (all-MiniLM-L6-v2, in `training/`): it
//! becomes a vector, and texts that mean the same have vectors of about the same direction.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use crate::{
    matrix::{Linear, dot},
    weights::{Reader, Rows},
    wordpiece,
};

static FILE: &[u8] = include_bytes!("../weights/encoder.bin");
/// Added to a variance before division by it, as in training.
const EPSILON: f32 = 1e-12;

/// Read when it is first needed.
static ENCODER: LazyLock<Encoder> = LazyLock::new(|| Encoder::read(FILE));

/// The vector of a text.
pub(crate) fn encode(text: &str) -> Vector {
    let tokens = ENCODER.tokens(text);
    Arch::new().dispatch(Encode { by: &ENCODER, tokens: &tokens })
}

/// Numbers of a vector.
pub(crate) const WIDTH: usize = 128;

/// A vector.
pub(crate) type Vector = [f32; WIDTH];

struct Norm {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    mix: Linear,
    up: Linear,
    down: Linear,
    mixed: Norm,
    last: Norm,
}

struct Encoder {
    words: Rows,
    places: Rows,
    /// Pieces of a text that are read: as many as there are places.
    most: usize,
    first: Norm,
    layers: Vec<Layer>,
    heads: usize,
}

/// The encoding of a text's pieces. All of it is compiled for each set of vector instructions.
struct Encode<'a> {
    by: &'a Encoder,
    tokens: &'a [usize],
}

impl WithSimd for Encode<'_> {
    type Output = Vector;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vector {
        let mut x = Vec::with_capacity(self.tokens.len() * WIDTH);
        for (place, id) in self.tokens.iter().enumerate() {
            let numbers = self.by.words.row(*id).zip(self.by.places.row(place));
            x.extend(numbers.map(|(word, place)| word + place));
        }
        self.by.first.apply(&mut x);
        for layer in &self.by.layers {
            layer.apply(simd, &mut x, self.by.heads);
        }
        let mut mean = [0.0; WIDTH];
        for row in x.chunks_exact(WIDTH) {
            add(&mut mean, row);
        }
        mean.map(|sum| sum / self.tokens.len() as f32)
    }
}

impl Norm {
    fn read(from: &mut Reader) -> Self {
        Self { gain: from.floats(WIDTH), bias: from.floats(WIDTH) }
    }

    #[inline(always)]
    fn apply(&self, x: &mut [f32]) {
        let ones = [1.0; WIDTH];
        for row in x.chunks_exact_mut(WIDTH) {
            let mean = dot(row, &ones) / WIDTH as f32;
            for number in &mut *row {
                *number -= mean;
            }
            let scale = 1.0 / (dot(row, row) / WIDTH as f32 + EPSILON).sqrt();
            for (number, (gain, bias)) in row.iter_mut().zip(self.gain.iter().zip(&self.bias)) {
                *number = *number * scale * gain + bias;
            }
        }
    }
}

impl Layer {
    fn read(from: &mut Reader) -> Self {
        let [query, key, value, mix] = std::array::from_fn(|_| Linear::read(from, WIDTH, WIDTH));
        Self {
            query,
            key,
            value,
            mix,
            up: Linear::read(from, 4 * WIDTH, WIDTH),
            down: Linear::read(from, WIDTH, 4 * WIDTH),
            mixed: Norm::read(from),
            last: Norm::read(from),
        }
    }

    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, x: &mut [f32], heads: usize) {
        // No closures here and below: they are compiled for the instructions that every processor has.
        let query = self.query.apply(simd, x);
        let key = self.key.apply(simd, x);
        let value = self.value.apply(simd, x);
        add(x, &self.mix.apply(simd, &attend(&query, &key, &value, heads)));
        self.mixed.apply(x);
        let mut up = self.up.apply(simd, x);
        for number in &mut up {
            *number = gelu(*number);
        }
        add(x, &self.down.apply(simd, &up));
        self.last.apply(x);
    }
}

/// For each piece the values of all, by how well their keys fit its query.
#[inline(always)]
fn attend(query: &[f32], key: &[f32], value: &[f32], heads: usize) -> Vec<f32> {
    let size = WIDTH / heads;
    let mut mixed = vec![0.0; query.len()];
    let mut shares = vec![0.0; query.len() / WIDTH];
    for head in 0..heads {
        let part = head * size..(head + 1) * size;
        for (query, mixed) in query.chunks_exact(WIDTH).zip(mixed.chunks_exact_mut(WIDTH)) {
            let query = &query[part.clone()];
            for (share, key) in shares.iter_mut().zip(key.chunks_exact(WIDTH)) {
                *share = dot(query, &key[part.clone()]) / (size as f32).sqrt();
            }
            let top = shares.iter().copied().fold(f32::MIN, f32::max);
            for share in &mut shares {
                *share = (*share - top).exp();
            }
            let sum: f32 = shares.iter().sum();
            for (share, value) in shares.iter().zip(value.chunks_exact(WIDTH)) {
                let share = share / sum;
                for (to, number) in mixed[part.clone()].iter_mut().zip(&value[part.clone()]) {
                    *to += share * number;
                }
            }
        }
    }
    mixed
}

#[inline(always)]
fn add(to: &mut [f32], other: &[f32]) {
    for (to, number) in to.iter_mut().zip(other) {
        *to += number;
    }
}

impl Encoder {
    fn read(file: &'static [u8]) -> Self {
        let mut from = Reader(file);
        assert_eq!(from.take(4), b"LFE1", "the file of weights is of another kind");
        let [words, width, layers, heads, most] = std::array::from_fn(|_| from.count());
        assert_eq!(
            (words, width),
            (wordpiece::pieces(), WIDTH),
            "the weights are of another vocabulary"
        );
        Self {
            words: from.rows(words, width),
            places: from.rows(most, width),
            most,
            first: Norm::read(&mut from),
            layers: (0..layers).map(|_| Layer::read(&mut from)).collect(),
            heads,
        }
    }

    /// At most as many as there are places: of a longer text the beginning and the end.
    fn tokens(&self, text: &str) -> Vec<usize> {
        let mut tokens = wordpiece::cut(text);
        let most = self.most - 2;
        if tokens.len() > most {
            tokens.drain(most / 2..tokens.len() - most.div_ceil(2));
        }
        tokens.insert(0, wordpiece::id("[CLS]"));
        tokens.push(wordpiece::id("[SEP]"));
        tokens
    }
}

/// x (1 + erf(x / √2)) / 2.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function as a quotient of polynomials, right to 1e-7 (the coefficients of Eigen's `generic_fast_erf_float`):
/// unlike one by `exp`, it is computed for many numbers at once.
#[inline(always)]
fn erf(x: f32) -> f32 {
    const OVER: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_4e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const UNDER: [f32; 5] =
        [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827_e-3, -7.373_329_2e-3, -1.426_473_9e-2];
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let (mut over, mut under) = (0.0, 0.0);
    for coefficient in OVER {
        over = over * square + coefficient;
    }
    for coefficient in UNDER {
        under = under * square + coefficient;
    }
    x * over / under
}

#[cfg(test)]
mod tests {
    use super::{encode, erf};
    use crate::matrix::dot;

    fn nearness(one: &str, other: &str) -> f32 {
        let (one, other) = (encode(one), encode(other));
        dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt()
    }

    #[test]
    fn texts_that_mean_the_same_are_near_each_other() {
        let sorting = "How do I sort a list?";
        let same = nearness(sorting, "put my items in order");
        assert!(same > nearness(sorting, "what is the weather in London") + 0.1, "{same}");
    }

    #[test]
    fn any_text_has_a_vector() {
        for text in ["", "🐍", "你好", &"list ".repeat(20_000), &"[".repeat(10_000)] {
            assert!(encode(text).iter().all(|number| number.is_finite()));
        }
    }

    /// Values of the error function from Abramowitz and Stegun, table 7.1.
    #[test]
    fn the_error_function_is_that_of_the_tables() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_9),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (2.0, 0.995_322_3),
        ] {
            for (x, expected) in [(x, expected), (-x, -expected)] {
                assert!((erf(x) - expected).abs() < 2e-7, "{x}: {}", erf(x));
            }
        }
        assert!((erf(100.0) - 1.0).abs() < 1e-6);
    }
}
