//! What the fuzzers have found and kept, replayed: every file of `fuzz/corpus` through the function that found it.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

/// A fuzzer's name and what it holds against its input.
type Target = (&'static str, fn(&[u8]));

#[test]
fn the_corpus_of_every_fuzzer_passes() {
    let targets: [Target; 4] = [
        ("identification", bodies::identification),
        ("sign_on", bodies::sign_on),
        ("hdlc", bodies::hdlc),
        ("parity", bodies::parity),
    ];
    for (target, body) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut count = 0;
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            body(&fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{target}: {count} files");
    }
}
