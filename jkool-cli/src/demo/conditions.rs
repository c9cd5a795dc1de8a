//! The conditions in the shop at a point in time, such as load and failures.

/// In microseconds.
pub(crate) const SECOND: i64 = 1_000_000;

/// The conditions at a point in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Conditions {
    /// From 0 to 1.
    pub(crate) busy: f64,
    /// The bank does not answer.
    pub(crate) outage: bool,
}

impl Conditions {
    /// Business comes in waves of ten minutes, and every six minutes the bank is away for 45 seconds.
    pub(crate) fn at(time: i64) -> Self {
        let seconds = time.div_euclid(SECOND);
        let phase = seconds.rem_euclid(600) as f64 / 600.0 * std::f64::consts::TAU;
        Self { busy: 0.5 + 0.5 * phase.sin(), outage: (300..345).contains(&seconds.rem_euclid(360)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Conditions, SECOND};

    #[test]
    fn conditions_change() {
        let conditions: Vec<Conditions> = (0..720).map(|second| Conditions::at(second * SECOND)).collect();
        assert_eq!(conditions.iter().filter(|conditions| conditions.outage).count(), 90);
        assert!(conditions.iter().all(|conditions| (0.0..=1.0).contains(&conditions.busy)));
    }
}
