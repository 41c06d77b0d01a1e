//! The reader `derive_tsv`.
#![no_main]

#[path = "../readers.rs"]
mod readers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((.., read)) = readers::READERS.iter().find(|reader| reader.0 == "derive_tsv") {
        read(data);
    }
});
