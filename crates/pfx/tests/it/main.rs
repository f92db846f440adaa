//! Files that `openssl pkcs12 -export` made, in all its ways; and bytes that are no files.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;

use portcullis_pfx::{Pfx, PfxError};

fn data(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(folder.join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(data(name)).unwrap()
}

#[test]
fn files_of_all_kinds_hold_the_same() {
    let leaf_and_ca = text("leaf.pem") + &text("ca.pem");
    for name in ["modern", "legacy", "des", "des2", "aes", "nomac", "open", "pbes2-des", "pbmac1"] {
        let found = Pfx::open(&data(&format!("{name}.pfx")), "s3cret");
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.chain_pem(), leaf_and_ca, "{name}");
        assert_eq!(*found.private_key_pem().unwrap(), text("key.pem"), "{name}");
        assert_eq!(format!("{found:?}"), "Pfx { n_certificates: 2 }");
    }
}

#[test]
fn a_wrong_password_is_called_so() {
    for name in ["modern", "legacy", "des", "des2", "aes", "nomac", "open", "pbes2-des", "empty"] {
        let bytes = data(&format!("{name}.pfx"));
        assert_eq!(Pfx::open(&bytes, "wrong"), Err(PfxError::Password), "{name}");
    }
    assert_eq!(Pfx::open(&data("modern.pfx"), ""), Err(PfxError::Password));
}

#[test]
fn passwords_may_be_empty_or_of_any_script() {
    assert_eq!(Pfx::open(&data("empty.pfx"), "").unwrap().certificates().len(), 1);
    for name in ["unicode.pfx", "unicode-legacy.pfx"] {
        assert!(Pfx::open(&data(name), "pässwörd€").is_ok(), "{name}");
    }
}

#[test]
fn a_file_may_hold_a_certificate_only() {
    let found = Pfx::open(&data("cert-only.pfx"), "s3cret").unwrap();
    assert_eq!(found.chain_pem(), text("leaf.pem"));
    assert!(found.private_key().is_none() && found.private_key_pem().is_none());
}

#[test]
fn an_algorithm_that_is_not_known_is_named() {
    let expected = "the PFX file uses algorithm 1.2.840.113549.1.12.1.1, which is not supported";
    let found = Pfx::open(&data("rc4.pfx"), "s3cret").unwrap_err();
    assert_eq!(found.to_string(), expected);
}

#[test]
fn a_changed_byte_is_noticed() {
    let bytes = data("modern.pfx");
    for at in (0..bytes.len()).step_by(13) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let found = Pfx::open(&changed, "s3cret");
        // Names of algorithms and marks may change without changing what is inside.
        let same = Pfx::open(&bytes, "s3cret");
        assert!(found.is_err() || found == same, "byte {at}");
    }
}

#[test]
fn fuzz_no_bytes_make_it_panic() {
    bolero::check!().with_iterations(2_000).for_each(|bytes: &[u8]| {
        let _ = Pfx::open(bytes, "x");
    });
}
