//! The reference page in `docs/` is the one that the rows give; `UPDATE_DOCS=1` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_reference_page_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/expressions.md");
    let page = expr::reference::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differ = written.lines().zip(page.lines()).find(|(a, b)| a != b);
    assert!(
        written == page,
        "docs/expressions.md is not what the rows say; UPDATE_DOCS=1 mends it: {differ:?}"
    );
}
