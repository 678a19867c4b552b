//! The store of `docs/writing-a-store.md`, and the kit on it.

// On the page, the test is outside the crate of the store. Here both are in one crate.
extern crate self as one_file_store;

mod conformance;
#[allow(unreachable_pub, reason = "it is a library's")]
mod store;

use store::OneFileStore;

#[test]
fn the_page_shows_this_code() {
    let page = include_str!("../../../../docs/writing-a-store.md");
    let (building, proving) = page.split_once("\n## Prove it\n").expect("a section in which the kit runs");
    assert_eq!(code(building), include_str!("store.rs"), "src/lib.rs");
    assert_eq!(code(proving), include_str!("conformance.rs"), "tests/conformance.rs");
}

/// Returns the blocks of Rust in a part of the page, with an empty line between them.
fn code(markdown: &str) -> String {
    let blocks = markdown.split("```rust\n").skip(1);
    let blocks: Vec<&str> = blocks.map(|block| block.split("```\n").next().expect("a part before the end")).collect();
    blocks.join("\n")
}
