//! The encoder's vectors with length 1.

use ndarray::Array1;

use crate::encoder;

/// The vector of a text.
pub(crate) fn of(text: &str) -> Array1<f32> {
    let encoded = encoder::encode(text);
    let length = encoded.dot(&encoded).sqrt().max(f32::MIN_POSITIVE);
    encoded / length
}
