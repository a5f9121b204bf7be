//! Finds the lowest place of a convex function: what training is.

/// Steps that are taken; fewer change the last digits.
const STEPS: usize = 400;
/// Earlier steps that the next direction is taken from.
const MEMORY: usize = 10;
/// The shortest part of a step that is tried.
const SHORTEST: f64 = 1e-9;

/// The lowest place of a convex function, by L-BFGS: Nocedal and Wright, algorithm 7.5, with halved steps.
pub(crate) fn minimum(mut at: Vec<f64>, function: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let (mut height, mut slope) = function(&at);
    let mut past: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..STEPS {
        let direction = direction(&slope, &past);
        let descent = dot(&direction, &slope);
        let mut step = if past.is_empty() { 1.0 / dot(&slope, &slope).sqrt() } else { 1.0 };
        let (next, lower, next_slope) = loop {
            let next: Vec<f64> =
                at.iter().zip(&direction).map(|(at, along)| at + step * along).collect();
            let (lower, slope) = function(&next);
            if lower <= height + 1e-4 * step * descent || step < SHORTEST {
                break (next, lower, slope);
            }
            step /= 2.0;
        };
        let moved = difference(&next, &at);
        let turned = difference(&next_slope, &slope);
        if dot(&moved, &turned) <= 1e-12 || (height - lower) < 1e-9 * height.abs() {
            return next;
        }
        past.push((moved, turned));
        if past.len() > MEMORY {
            past.remove(0);
        }
        (at, height, slope) = (next, lower, next_slope);
    }
    at
}

fn direction(slope: &[f64], past: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|slope| -slope).collect();
    let mut shares = Vec::new();
    for (moved, turned) in past.iter().rev() {
        let share = dot(moved, &direction) / dot(moved, turned);
        add(&mut direction, -share, turned);
        shares.push(share);
    }
    if let Some((moved, turned)) = past.last() {
        let scale = dot(moved, turned) / dot(turned, turned);
        direction.iter_mut().for_each(|along| *along *= scale);
    }
    for ((moved, turned), share) in past.iter().zip(shares.into_iter().rev()) {
        let other = dot(turned, &direction) / dot(moved, turned);
        add(&mut direction, share - other, moved);
    }
    direction
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn difference(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(one, other)| one - other).collect()
}

fn add(to: &mut [f64], share: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += share * other);
}
