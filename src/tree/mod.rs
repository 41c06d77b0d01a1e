//! YAML and JSON to trees in which every key and value keeps its bytes.
//!
//! INVARIANT: a span is bytes of the text as it lies on disk, in both languages alike.
