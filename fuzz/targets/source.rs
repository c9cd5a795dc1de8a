//! The parser of source names, and the lenient one that events are read with.
#![no_main]

#[allow(dead_code)]
#[path = "../../jkool-model/tests/common/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|text: &str| laws::source(text));
