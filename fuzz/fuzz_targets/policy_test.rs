//! The reader `policy_test`.
#![no_main]

#[path = "../readers.rs"]
mod readers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((.., read)) = readers::READERS.iter().find(|reader| reader.0 == "policy_test") {
        read(data);
    }
});
