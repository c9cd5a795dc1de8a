//! The number of concurrent sends: as many as the server can handle. Pure.

use std::time::Duration;

/// Starts at its maximum, halves when the server is overloaded, and grows by one for each window of sends that were as fast as
/// the server has shown to be.
#[derive(Debug)]
pub(crate) struct Window {
    cap: f64,
    size: f64,
    /// The fastest recent send, slowly forgotten.
    best: Option<Duration>,
}

/// A send counts as fast if it took at most twice the best time, or this.
const QUICK: Duration = Duration::from_millis(20);

impl Window {
    pub(crate) fn new(cap: usize) -> Self {
        Self { cap: cap as f64, size: cap as f64, best: None }
    }

    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    /// The maximum number of sends in flight, including those that hang and are not waited for. It is 1 if the window is 1,
    /// because order is kept then.
    pub(crate) fn hanging(&self) -> usize {
        self.cap as usize * 2 - 1
    }

    /// Records a successful send and its duration.
    pub(crate) fn succeeded(&mut self, took: Duration) {
        // Forgets 1 % per send: the speed of the network an hour ago says little.
        let best = self.best.map_or(took, |best| took.min(best + best / 100));
        self.best = Some(best);
        if took <= QUICK.max(best * 2) {
            self.size = (self.size + 1.0 / self.size).min(self.cap);
        }
    }

    /// Records that the server could not handle a send.
    pub(crate) fn failed(&mut self) {
        self.size = (self.size / 2.0).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_halves_down_to_one_and_grows_back_to_its_cap() {
        let mut window = Window::new(32);
        let sizes: Vec<usize> = (0..7)
            .map(|_| {
                window.failed();
                window.size()
            })
            .collect();
        assert_eq!(sizes, [16, 8, 4, 2, 1, 1, 1]);
        for _ in 0..10_000 {
            window.succeeded(MS);
            assert!(window.size() <= 32);
        }
        assert_eq!(window.size(), 32);
    }

    #[test]
    fn it_grows_by_one_for_each_windowful() {
        let mut window = Window::new(64);
        window.failed();
        for _ in 0..33 {
            window.succeeded(MS);
        }
        assert_eq!(window.size(), 33);
    }

    #[test]
    fn it_does_not_grow_while_the_server_is_slower_than_it_can_be() {
        let mut window = Window::new(64);
        window.failed();
        window.succeeded(50 * MS);
        for _ in 0..50 {
            window.succeeded(200 * MS);
        }
        assert_eq!(window.size(), 32);
        // When that is the new normal, it grows again.
        for _ in 0..1_000 {
            window.succeeded(200 * MS);
        }
        assert!(window.size() > 40);
    }

    #[test]
    fn a_cap_of_one_stays_one() {
        let mut window = Window::new(1);
        window.failed();
        window.succeeded(MS);
        assert_eq!(window.size(), 1);
    }
}
