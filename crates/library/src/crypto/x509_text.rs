//! Certificates as text: `X509Certificate.ToString` and `X509Certificate2.ToString`.
//!
//! Extensions are told as .NET tells them on Linux.
//!
//! Source: <https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.x509certificate2.tostring>

use std::fmt::Write as _;

use dotnet::crypto::{Certificate, Name, extension_text};

use super::oid_names::name_of;
use super::x509_certificate::date;

/// Names, serial number, validity and thumbprint.
pub(super) fn brief(it: &Certificate) -> String {
    let mut text = format!("[Subject]\n  {}\n\n[Issuer]\n  {}", it.subject, it.issuer);
    numbers(it, &mut text);
    text + "\n"
}

/// All there is to tell: the names apart, the key and the extensions too.
pub(super) fn verbose(it: &Certificate) -> String {
    let mut text = format!("[Version]\n  V{}\n\n[Subject]\n  {}", it.version, it.subject);
    names(it, false, &mut text);
    text = text + "\n\n[Issuer]\n  " + &it.issuer;
    names(it, true, &mut text);
    numbers(it, &mut text);
    let algorithm = &*it.signature_algorithm;
    let _ = write!(text, "\n\n[Signature Algorithm]\n  {}({algorithm})", known(algorithm));
    let length = it.rsa().map(|it| it.bits().to_string()).unwrap_or_default();
    let _ = write!(
        text,
        "\n\n[Public Key]\n  Algorithm: {}\n  Length: {length}\n  Key Blob: {}\n  Parameters: {}",
        known(&it.key_algorithm),
        hex(&it.public_key),
        hex(&it.key_parameters)
    );
    if it.has_private_key {
        text.push_str("\n\n[Private Key]\n");
    }
    if !it.extensions.is_empty() {
        text.push_str("\n\n[Extensions]");
    }
    for own in &it.extensions {
        let (name, shown) = (known(&own.oid), extension_text(&own.oid, &own.raw));
        let _ = write!(text, "\n* {name}({}):\n  {shown}", own.oid);
    }
    text + "\n"
}

fn names(it: &Certificate, of_issuer: bool, text: &mut String) {
    const KINDS: [(&str, Name); 4] =
        [("Simple", Name::Simple), ("Email", Name::Email), ("UPN", Name::Upn), ("DNS", Name::Dns)];
    for (title, kind) in KINDS {
        let name = it.name_info(kind, of_issuer);
        if !name.is_empty() {
            let _ = write!(text, "\n  {title} Name: {name}");
        }
    }
}

fn numbers(it: &Certificate, text: &mut String) {
    let _ = write!(
        text,
        "\n\n[Serial Number]\n  {}\n\n[Not Before]\n  {}\n\n[Not After]\n  {}\n\n[Thumbprint]\n  {}",
        it.serial_number,
        date(it.not_before).to_text(),
        date(it.not_after).to_text(),
        it.thumbprint
    );
}

fn known(oid: &str) -> &'static str {
    name_of(oid).unwrap_or("")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Certificate;

    use super::{brief, verbose};

    const PEM: &[u8] = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");

    #[test]
    fn the_long_text_begins_with_the_version_and_names_the_key() {
        let it = Certificate::parse(PEM).unwrap();
        let long = verbose(&it);
        let head = "[Version]\n  V3\n\n[Subject]\n  CN=gateway.test, O=\"Contoso, Ltd.\", C=CH\n";
        assert!(long.starts_with(head), "{long}");
        assert!(long.contains("\n  Simple Name: gateway.test\n"), "{long}");
        assert!(long.contains("[Public Key]\n  Algorithm: "), "{long}");
        assert!(
            brief(&it).starts_with("[Subject]\n  CN=gateway.test") && !brief(&it).contains("V3")
        );
    }
}
