//! Extensions of a certificate as text: `AsnEncodedData.Format`.
//!
//! .NET asks the system's cryptography for it, and on Unix takes the first line only, its end
//! included. An extension that is not known, or not well formed, is its bytes in hexadecimal.
//!
//! Source: RFC 5280, section 4.2, and results recorded from .NET Core on Linux.

use pfx::der::{Reader, SEQUENCE, dotted};
use x509_parser::extensions::{
    AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CRLDistributionPoints,
    GeneralName, InhibitAnyPolicy, IssuerAlternativeName, KeyIdentifier, KeyUsage,
    PolicyConstraints, SubjectAlternativeName,
};
use x509_parser::prelude::FromDer;

use super::{distinguished_name, hex};

/// The text of an extension.
#[must_use]
pub fn extension_text(oid: &str, der: &[u8]) -> String {
    let known = match oid {
        "2.5.29.14" => whole::<KeyIdentifier<'_>>(der).map(|it| octets(it.0)),
        "2.5.29.15" => key_usage(der),
        "2.5.29.17" => whole::<SubjectAlternativeName<'_>>(der).map(|it| names(&it.general_names)),
        "2.5.29.18" => whole::<IssuerAlternativeName<'_>>(der).map(|it| names(&it.general_names)),
        "2.5.29.19" => whole::<BasicConstraints>(der).map(basic_constraints),
        "2.5.29.30" => name_constraints(der),
        "2.5.29.31" => whole::<CRLDistributionPoints<'_>>(der).map(|_| "\n".to_owned()),
        "2.5.29.32" => policies(der),
        "2.5.29.35" => whole::<AuthorityKeyIdentifier<'_>>(der).and_then(|it| authority_key(&it)),
        "2.5.29.36" => whole::<PolicyConstraints>(der).map(policy_constraints),
        "2.5.29.37" => extended_key_usage(der),
        "2.5.29.54" => whole::<InhibitAnyPolicy>(der).map(|it| it.skip_certs.to_string()),
        "1.3.6.1.5.5.7.1.1" => whole::<AuthorityInfoAccess<'_>>(der).and_then(|it| access(&it)),
        _ => None,
    };
    known.unwrap_or_else(|| hex(der))
}

/// Reads a value that takes all of the bytes.
fn whole<'a, T: FromDer<'a, x509_parser::error::X509Error>>(der: &'a [u8]) -> Option<T> {
    T::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, it)| it)
}

fn octets(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02X}")).collect::<Vec<_>>().join(":")
}

fn key_usage(der: &[u8]) -> Option<String> {
    const NAMES: [&str; 9] = [
        "Digital Signature",
        "Non Repudiation",
        "Key Encipherment",
        "Data Encipherment",
        "Key Agreement",
        "Certificate Sign",
        "CRL Sign",
        "Encipher Only",
        "Decipher Only",
    ];
    let flags = whole::<KeyUsage>(der)?.flags;
    let set = NAMES.iter().enumerate().filter(|(at, _)| flags >> at & 1 == 1);
    let set: Vec<&str> = set.map(|(_, name)| *name).collect();
    (!set.is_empty()).then(|| set.join(", "))
}

fn basic_constraints(it: BasicConstraints) -> String {
    let length = it.path_len_constraint.map(|it| format!(", pathlen:{it}")).unwrap_or_default();
    format!("CA:{}{length}", if it.ca { "TRUE" } else { "FALSE" })
}

fn policy_constraints(it: PolicyConstraints) -> String {
    let require = it.require_explicit_policy.map(|it| format!("Require Explicit Policy:{it}"));
    let inhibit = it.inhibit_policy_mapping.map(|it| format!("Inhibit Policy Mapping:{it}"));
    require.into_iter().chain(inhibit).collect::<Vec<_>>().join(", ")
}

/// The first line only: which of the two kinds comes first.
fn name_constraints(der: &[u8]) -> Option<String> {
    let first = Reader::new(der).within(SEQUENCE)?.take()?.tag;
    Some(if first & 0x1F == 0 { "Permitted:\n" } else { "Excluded:\n" }.to_owned())
}

fn policies(der: &[u8]) -> Option<String> {
    let mut all = Reader::new(der).within(SEQUENCE)?;
    let oid = all.within(SEQUENCE)?.oid().map(dotted)?;
    let name = if oid == "2.5.29.32.0" { "X509v3 Any Policy".to_owned() } else { oid };
    Some(format!("Policy: {name}\n"))
}

fn extended_key_usage(der: &[u8]) -> Option<String> {
    let mut all = Reader::new(der).within(SEQUENCE)?;
    let mut found = Vec::new();
    while !all.is_empty() {
        let oid = all.oid().map(dotted)?;
        found.push(purpose(&oid).map_or(oid, str::to_owned));
    }
    (!found.is_empty()).then(|| found.join(", "))
}

fn purpose(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.3.6.1.5.5.7.3.1" => "TLS Web Server Authentication",
        "1.3.6.1.5.5.7.3.2" => "TLS Web Client Authentication",
        "1.3.6.1.5.5.7.3.3" => "Code Signing",
        "1.3.6.1.5.5.7.3.4" => "E-mail Protection",
        "1.3.6.1.5.5.7.3.8" => "Time Stamping",
        "1.3.6.1.5.5.7.3.9" => "OCSP Signing",
        "1.3.6.1.5.5.7.3.17" => "ipsec Internet Key Exchange",
        "1.3.6.1.5.2.3.5" => "Signing KDC Response",
        "1.3.6.1.4.1.311.20.2.2" => "Microsoft Smartcard Login",
        "2.5.29.37.0" => "Any Extended Key Usage",
        _ => return None,
    })
}

fn authority_key(it: &AuthorityKeyIdentifier<'_>) -> Option<String> {
    let issuer = it.authority_cert_issuer.as_ref().and_then(|all| all.first());
    let line = match (&it.key_identifier, issuer) {
        (Some(key), _) => format!("keyid:{}", octets(key.0)),
        (None, Some(issuer)) => name(issuer),
        (None, None) => format!("serial:{}", octets(it.authority_cert_serial?)),
    };
    Some(line + "\n")
}

fn access(it: &AuthorityInfoAccess<'_>) -> Option<String> {
    let first = it.accessdescs.first()?;
    let method = match first.access_method.to_id_string().as_str() {
        "1.3.6.1.5.5.7.48.1" => "OCSP".to_owned(),
        "1.3.6.1.5.5.7.48.2" => "CA Issuers".to_owned(),
        other => other.to_owned(),
    };
    Some(format!("{method} - {}\n", name(&first.access_location)))
}

fn names(all: &[GeneralName<'_>]) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn name(it: &GeneralName<'_>) -> String {
    match it {
        GeneralName::OtherName(..) => "othername:<unsupported>".to_owned(),
        GeneralName::RFC822Name(it) => format!("email:{it}"),
        GeneralName::DNSName(it) => format!("DNS:{it}"),
        GeneralName::X400Address(_) => "X400Name:<unsupported>".to_owned(),
        GeneralName::EDIPartyName(_) => "EdiPartyName:<unsupported>".to_owned(),
        GeneralName::DirectoryName(it) => {
            format!("DirName:{}", distinguished_name::one_line(it))
        }
        GeneralName::URI(it) => format!("URI:{it}"),
        GeneralName::IPAddress(it) => format!("IP Address:{}", address(it)),
        GeneralName::RegisteredID(it) => format!("Registered ID:{it}"),
        GeneralName::Invalid(..) => "<unsupported>".to_owned(),
    }
}

/// Without the short form that IPv6 has otherwise.
fn address(bytes: &[u8]) -> String {
    match bytes.len() {
        4 => bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        16 => {
            let (pairs, _) = bytes.as_chunks::<2>();
            let pairs = pairs.iter().map(|it| format!("{:X}", u16::from_be_bytes(*it)));
            pairs.collect::<Vec<_>>().join(":")
        }
        _ => "<invalid>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::extension_text;

    #[test]
    fn known_extensions_are_told_in_words_and_others_in_hexadecimal() {
        let cases: [(&str, &[u8], &str); 9] = [
            ("2.5.29.14", &[4, 2, 0xAB, 1], "AB:01"),
            ("2.5.29.15", &[3, 2, 5, 0xA0], "Digital Signature, Key Encipherment"),
            ("2.5.29.15", &[3, 1, 0], "030100"),
            ("2.5.29.17", &[0x30, 6, 0x87, 4, 10, 0, 0, 1], "IP Address:10.0.0.1"),
            ("2.5.29.19", &[0x30, 6, 1, 1, 0xFF, 2, 1, 3], "CA:TRUE, pathlen:3"),
            ("2.5.29.19", &[0x30, 0], "CA:FALSE"),
            ("2.5.29.19", &[4, 1, 0x78], "040178"),
            ("2.5.29.37", &[0x30, 5, 6, 3, 0x2A, 3, 4], "1.2.3.4"),
            ("1.2.3", &[5, 0], "0500"),
        ];
        for (oid, der, expected) in cases {
            assert_eq!(extension_text(oid, der), expected, "{oid}");
        }
    }
}
