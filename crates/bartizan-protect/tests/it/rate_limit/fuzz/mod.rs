//! The bodies of the targets in `fuzz/`, over what they have found interesting and over anything.

mod forwarded;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/forwarded");
    let mut inputs = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        forwarded::check(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0);
}

proptest! {
    #[test]
    fn what_is_like_a_header_holds(text in r#"([0-9a-f.:,;="\[\]\n a-z]|for=|proto=|192\.0\.2\.7){0,64}"#) {
        forwarded::check(text.as_bytes());
    }

    #[test]
    fn anything_holds(data in prop::collection::vec(any::<u8>(), 0..256)) {
        forwarded::check(&data);
    }
}
