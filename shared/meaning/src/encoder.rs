//! A small encoder, which says of a text what the first layers of a large one say (all-MiniLM-L6-v2, in `training/`): it
//! becomes a vector, and texts that mean the same have vectors of about the same direction.

use std::sync::LazyLock;

use ndarray::{Array1, Array2, Axis, s};

use crate::{
    weights::{Reader, Rows},
    wordpiece,
};

static FILE: &[u8] = include_bytes!("../weights/encoder.bin");
/// Added to a variance before division by it, as in training.
const EPSILON: f32 = 1e-12;

/// Read when it is first needed.
static ENCODER: LazyLock<Encoder> = LazyLock::new(|| Encoder::read(FILE));

/// The vector of a text.
pub(crate) fn encode(text: &str) -> Array1<f32> {
    ENCODER.encode(text)
}

/// Numbers of a vector.
pub(crate) const WIDTH: usize = 128;

struct Linear {
    weight: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    gain: Array1<f32>,
    bias: Array1<f32>,
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
    places: Array2<f32>,
    first: Norm,
    layers: Vec<Layer>,
    heads: usize,
}

impl Linear {
    fn read(from: &mut Reader, height: usize, width: usize) -> Self {
        let weight = from.matrix(height, width).reversed_axes().as_standard_layout().into_owned();
        Self { weight, bias: from.vector(height) }
    }

    fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.weight) + &self.bias
    }
}

impl Norm {
    fn read(from: &mut Reader) -> Self {
        Self { gain: from.vector(WIDTH), bias: from.vector(WIDTH) }
    }

    fn apply(&self, mut x: Array2<f32>) -> Array2<f32> {
        let width = WIDTH as f32;
        for mut row in x.rows_mut() {
            let mean = row.sum() / width;
            row -= mean;
            let variance = row.fold(0.0, |sum, value| sum + value * value) / width;
            row /= (variance + EPSILON).sqrt();
            row *= &self.gain;
            row += &self.bias;
        }
        x
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

    fn apply(&self, x: Array2<f32>, heads: usize) -> Array2<f32> {
        let (query, key, value) = (self.query.apply(&x), self.key.apply(&x), self.value.apply(&x));
        let mut mixed = Array2::zeros(x.raw_dim());
        let size = WIDTH / heads;
        for head in 0..heads {
            let part = s![.., head * size..(head + 1) * size];
            let (query, key, value) = (query.slice(part), key.slice(part), value.slice(part));
            let mut shares = query.dot(&key.t()) / (size as f32).sqrt();
            for mut row in shares.rows_mut() {
                let top = row.fold(f32::MIN, |top, value| top.max(*value));
                row.mapv_inplace(|value| (value - top).exp());
                let sum = row.sum();
                row /= sum;
            }
            mixed.slice_mut(part).assign(&shares.dot(&value));
        }
        let x = self.mixed.apply(x + self.mix.apply(&mixed));
        let up = self.up.apply(&x).mapv_into(gelu);
        self.last.apply(x + self.down.apply(&up))
    }
}

impl Encoder {
    fn read(file: &'static [u8]) -> Self {
        let mut from = Reader(file);
        assert_eq!(from.take(4), b"LFE1", "the file of weights is of another kind");
        let [words, width, layers, heads, places] = std::array::from_fn(|_| from.count());
        assert_eq!(
            (words, width),
            (wordpiece::pieces(), WIDTH),
            "the weights are of another vocabulary"
        );
        Self {
            words: from.rows(words, width),
            places: from.matrix(places, width),
            first: Norm::read(&mut from),
            layers: (0..layers).map(|_| Layer::read(&mut from)).collect(),
            heads,
        }
    }

    fn encode(&self, text: &str) -> Array1<f32> {
        let tokens = self.tokens(text);
        let mut x = self.places.slice(s![..tokens.len(), ..]).to_owned();
        for (mut row, id) in x.rows_mut().into_iter().zip(&tokens) {
            row.iter_mut().zip(self.words.row(*id)).for_each(|(to, number)| *to += number);
        }
        let x = self.first.apply(x);
        let x = self.layers.iter().fold(x, |x, layer| layer.apply(x, self.heads));
        x.sum_axis(Axis(0)) / x.nrows() as f32
    }

    /// At most as many as there are places: of a longer text the beginning and the end.
    fn tokens(&self, text: &str) -> Vec<usize> {
        let mut tokens = wordpiece::cut(text);
        let most = self.places.nrows() - 2;
        if tokens.len() > most {
            tokens.drain(most / 2..tokens.len() - most.div_ceil(2));
        }
        tokens.insert(0, wordpiece::id("[CLS]"));
        tokens.push(wordpiece::id("[SEP]"));
        tokens
    }
}

/// x (1 + erf(x / √2)) / 2, with the error function as in Abramowitz and Stegun 7.1.26: right to 1.5e-7.
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
        + 0.254_829_6)
        * t;
    let erf = 1.0 - poly * (-z * z).exp();
    0.5 * x * (1.0 + erf.copysign(x))
}

#[cfg(test)]
mod tests {
    use super::encode;

    fn nearness(one: &str, other: &str) -> f32 {
        let (one, other) = (encode(one), encode(other));
        one.dot(&other) / (one.dot(&one) * other.dot(&other)).sqrt()
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
}
