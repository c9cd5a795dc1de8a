//! The number of events in a batch: as many as get through in time. Pure.

/// Halves when a batch was too large for the connection or the server, and grows by an eighth with each full batch that gets
/// through.
#[derive(Debug, Default)]
pub(crate) struct BatchLimit {
    /// `None` while no batch was too large.
    limit: Option<usize>,
}

impl BatchLimit {
    /// The limit, at most `max`.
    pub(crate) fn of(&self, max: usize) -> usize {
        self.limit.map_or(max, |limit| limit.min(max)).max(1)
    }

    /// Records that a batch of this size was too large.
    pub(crate) fn too_many(&mut self, events: usize) {
        self.limit = Some(self.of((events / 2).max(1)));
    }

    /// Records that a batch of this size got through.
    pub(crate) fn succeeded(&mut self, events: usize) {
        if let Some(limit) = self.limit.filter(|limit| events >= *limit) {
            // A limit above every possible batch is no limit.
            self.limit = limit.checked_add(limit.div_ceil(8));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BatchLimit;

    #[test]
    fn it_halves_down_to_one_and_grows_with_full_batches() {
        let mut limit = BatchLimit::default();
        assert_eq!(limit.of(512), 512);
        let mut sizes = Vec::new();
        for _ in 0..11 {
            limit.too_many(limit.of(512));
            sizes.push(limit.of(512));
        }
        assert_eq!(sizes, [256, 128, 64, 32, 16, 8, 4, 2, 1, 1, 1]);
        limit.succeeded(0);
        assert_eq!(limit.of(512), 1, "not a full batch");
        let mut successes = 0;
        while limit.of(512) < 512 {
            limit.succeeded(limit.of(512));
            successes += 1;
        }
        assert!((30..60).contains(&successes), "{successes}");
    }

    #[test]
    fn what_is_sent_again_in_smaller_parts_does_not_shrink_it_further() {
        let mut limit = BatchLimit::default();
        limit.too_many(512);
        // Another one of the same time.
        limit.too_many(512);
        assert_eq!(limit.of(512), 256);
    }
}
