pub(crate) fn run(_scale: f64) {}
