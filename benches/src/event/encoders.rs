//! The ways from the full event to its JSON.

use super::{FullEvent, event, full_by_hand, uuid, write_message};
use jkool_model::Event;
use std::fmt;

/// One event in the form that each encoder wants.
pub struct Sample {
    derived: FullEvent<'static>,
    pub event: Event,
    message: &'static str,
    i: u64,
    time: u64,
}

impl Sample {
    /// Leaks the texts that it borrows.
    pub fn new(i: u64, time: u64) -> Self {
        let mut message = String::new();
        write_message(&mut message, i);
        let message: &str = message.leak();
        let id: &str = String::from_utf8(uuid::fake(i).into()).expect("ASCII").leak();
        Self { derived: FullEvent::new(id, message, i, time), event: event(id, i, time), message, i, time }
    }
}

/// Appends the JSON of a sample.
pub struct Encoder {
    pub name: &'static str,
    pub encode: fn(&Sample, &mut Vec<u8>),
}

pub const ENCODERS: &[Encoder] = &[
    Encoder { name: "derive", encode: |sample, out| serde_json::to_writer(out, &sample.derived).expect("memory") },
    Encoder { name: "hand", encode: |sample, out| full_by_hand(out, sample.message, sample.i, sample.time) },
    Encoder { name: "jkool", encode: |sample, out| sample.event.append_json(out) },
    Encoder { name: "jkool-serde", encode: |sample, out| serde_json::to_writer(out, &sample.event).expect("memory") },
];

impl fmt::Display for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{ENCODERS, Sample};
    use jkool_model::Event;

    #[test]
    fn all_say_the_same() {
        let sample = Sample::new(12_345, 1_800_000_000_000_000);
        for encoder in ENCODERS {
            let mut json = Vec::new();
            (encoder.encode)(&sample, &mut json);
            // jKool's word for it
            let json = String::from_utf8(json).unwrap().replace("decimal", "double");
            let mut event: Event = serde_json::from_str(&json).unwrap();
            // It follows from end and elapsed time, and the client says it.
            event.start_time = sample.event.start_time;
            assert_eq!(event, sample.event, "{encoder}");
        }
    }
}
