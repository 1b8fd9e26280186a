//! The table as the documents have it.

use super::*;

#[test]
fn no_name_is_in_two_classes_and_each_stands_in_the_documents() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let documents = std::fs::read_to_string(path).unwrap();
    let mut all: Vec<String> = Vec::new();
    for class in table::CLASSES {
        for name in class.names {
            assert!(documents.contains(&format!("`{name}`")), "{name}");
            all.push(name.to_ascii_lowercase());
        }
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}
