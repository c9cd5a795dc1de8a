//! The reader of JSON, and the mending of half characters that goes before it.
#![no_main]

#[allow(dead_code)]
#[path = "../../jkool-model/tests/common/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    laws::entity(input);
    laws::surrogates(&String::from_utf8_lossy(input));
});
