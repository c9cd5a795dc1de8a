//! The `jkool` command.

fn main() {}
