//! `System.Security.Cryptography.AsymmetricAlgorithm`, which is RSA here:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.asymmetricalgorithm>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object as _, Value};
use corelib::language::span;
use dotnet::crypto::{Digits, Fault, RsaKey, RsaNumbers, RsaSecret, SealPassword, cryptographic};
use dotnet::{Runtime, Str};
use tree::xml::{self, ParseOptions, Root};

use super::rsa::{self, SIZES, own};
use super::{DISPOSABLE, charge, give, key_sizes, no_default};

const NAME: &str = "System.Security.Cryptography.AsymmetricAlgorithm";

/// `AsymmetricAlgorithm`.
pub(super) const ASYMMETRIC: Type = Type::named(NAME);
const BYTES: Type = Type::BYTES;
const OUT: Type = Type::Out(&Type::Int32);
const TEXT: Type = Type::String;

/// Names that .NET gives an RSA key for.
pub(super) const RSA_NAMES: [&str; 3] = ["RSA", "System.Security.Cryptography.RSA", NAME];
/// Algorithms that .NET has and are not on the list.
const OTHERS: [&str; 4] = ["DSA", "ECDsa", "ECDiffieHellman", "ECDH"];

/// Opening a key under a password costs as much as some hundred thousand steps.
const OPENING: usize = 10_000_000;
/// Nodes of a key in XML.
const MAX_NODES: usize = 1_000;

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS).bases(&[DISPOSABLE]);

const MEMBERS: &[Member] = &[
    Member::static_method("Create", &[], ASYMMETRIC, |_, _| Err(no_default())),
    Member::static_method("Create", &[TEXT], ASYMMETRIC, |args, _| {
        if let Some(other) = other_algorithm(args.value(0)) {
            let message = format!("The algorithm {other} is not supported by this gateway.");
            return Err(cryptographic(message).into());
        }
        rsa::of_name(args)
    })
    .params(&["algName"])
    .doc("A key of 1024 bits for the name `RSA`, or null."),
    Member::property("KeySize", Type::Int32, |args, _| Ok(own(args)?.bits().into()))
        .set(|args, cx| {
            let bits: i32 = args.arg(1)?;
            if cx.runtime() == Runtime::Framework {
                // The size is looked at and forgotten there.
                rsa::check_size(bits)?;
            } else {
                own(args)?.set_bits(bits)?;
            }
            Ok(Value::Null)
        })
        .doc("Bits of the key; another size is that of a new key."),
    Member::property("LegalKeySizes", key_sizes::ALL, |_, _| {
        let (min, max, skip) = SIZES;
        Ok(key_sizes::value(min, max, skip))
    }),
    Member::property("KeyExchangeAlgorithm", TEXT, |_, _| Ok("RSA".into())),
    Member::property("SignatureAlgorithm", TEXT, |args, _| {
        let is_named = own(args)?.is_named;
        Ok(if is_named { "http://www.w3.org/2000/09/xmldsig#rsa-sha1" } else { "RSA" }.into())
    }),
    Member::method("FromXmlString", &[TEXT], Type::Void, |args, cx| {
        let text: Str = args.arg(1)?;
        charge(cx, text.as_str().len())?;
        own(args)?.take(of_xml(text.as_str())?, cx)?;
        Ok(Value::Null)
    })
    .params(&["xmlString"])
    .doc("Reads a key in XML (`<RSAKeyValue>`)."),
    Member::method("ToXmlString", &[Type::Bool], TEXT, |args, cx| {
        let with_private: bool = args.arg(1)?;
        let it = own(args)?;
        let key = if with_private { it.exported(cx)? } else { it.key(cx)? };
        Ok(to_xml(&key, with_private)?.into())
    })
    .params(&["includePrivateParameters"]),
    Member::method("ImportPkcs8PrivateKey", &[span::READ_BYTES, OUT], Type::Void, |args, cx| {
        rsa::import(args, cx, RsaNumbers::read_pkcs8)
    })
    .params(&["source", "bytesRead"])
    .doc("Reads a key in PKCS #8."),
    Member::method(
        "ImportSubjectPublicKeyInfo",
        &[span::READ_BYTES, OUT],
        Type::Void,
        |args, cx| rsa::import(args, cx, RsaNumbers::read_public_info),
    )
    .params(&["source", "bytesRead"]),
    Member::method(
        "ImportEncryptedPkcs8PrivateKey",
        &[span::READ_CHARS, span::READ_BYTES, OUT],
        Type::Void,
        |args, cx| {
            let password = span::text(args.value(1));
            open(args, SealPassword::Text(password.as_str()), cx)
        },
    )
    .params(&["password", "source", "bytesRead"])
    .doc("Reads a key in PKCS #8 under a password."),
    Member::method(
        "ImportEncryptedPkcs8PrivateKey",
        &[span::READ_BYTES, span::READ_BYTES, OUT],
        Type::Void,
        |args, cx| {
            let password = span::bytes(args.value(1));
            open(args, SealPassword::Bytes(&password), cx)
        },
    )
    .params(&["passwordBytes", "source", "bytesRead"]),
    Member::method("ExportPkcs8PrivateKey", &[], BYTES, |args, cx| {
        let key = own(args)?.exported(cx)?;
        Ok(key.numbers().pkcs8()?.to_vec().into())
    }),
    Member::method("ExportSubjectPublicKeyInfo", &[], BYTES, |args, cx| {
        Ok(own(args)?.key(cx)?.numbers().public_info().into())
    }),
    Member::method("TryExportPkcs8PrivateKey", &[span::BYTES, OUT], Type::Bool, |args, cx| {
        let key = own(args)?.exported(cx)?;
        Ok(give(args, 1, 2, &key.numbers().pkcs8()?))
    })
    .params(&["destination", "bytesWritten"]),
    Member::method("TryExportSubjectPublicKeyInfo", &[span::BYTES, OUT], Type::Bool, |args, cx| {
        let key = own(args)?.key(cx)?;
        Ok(give(args, 1, 2, &key.numbers().public_info()))
    })
    .params(&["destination", "bytesWritten"]),
    Member::method("Clear", &[], Type::Void, |args, _| dispose(args)),
    Member::method("Dispose", &[], Type::Void, |args, _| dispose(args)),
];

/// The algorithm that .NET has by that name and that is not on the list.
pub(super) fn other_algorithm(name: &Value) -> Option<&'static str> {
    let Value::String(name) = name else { return None };
    OTHERS.into_iter().find(|own| own.eq_ignore_ascii_case(name.as_str()))
}

fn dispose(args: &Args<'_>) -> Result<Value, Exception> {
    own(args)?.dispose();
    Ok(Value::Null)
}

fn open(
    args: &mut Args<'_>,
    password: SealPassword<'_>,
    cx: &mut EvalCx<'_>,
) -> Result<Value, Exception> {
    let source = span::bytes(args.value(2));
    charge(cx, OPENING + source.len())?;
    let (numbers, n_read) = RsaKey::read_encrypted(&source, password)?;
    own(args)?.take(numbers, cx)?;
    args.set_out(3, Value::Int(i32::try_from(n_read).unwrap_or(i32::MAX)));
    Ok(Value::Null)
}

/// A key in XML, as RFC 4050 and XML signatures write it.
fn to_xml(key: &RsaKey, with_private: bool) -> Result<String, Fault> {
    let numbers = key.numbers();
    let mut parts = vec![
        ("Modulus", Digits::new(numbers.modulus.clone())),
        ("Exponent", Digits::new(numbers.exponent.clone())),
    ];
    if with_private {
        let it = numbers.secret()?;
        parts.extend([("P", it.p), ("Q", it.q), ("DP", it.dp), ("DQ", it.dq)]);
        parts.extend([("InverseQ", it.inverse_q), ("D", it.d)]);
    }
    let parts = parts.iter().map(|(name, it)| format!("<{name}>{}</{name}>", STANDARD.encode(it)));
    Ok(format!("<RSAKeyValue>{}</RSAKeyValue>", parts.collect::<String>()))
}

/// The numbers of a key in XML; the name of the root does not matter.
fn of_xml(text: &str) -> Result<RsaNumbers, Exception> {
    let options = ParseOptions { max_nodes: MAX_NODES, ..ParseOptions::default() };
    let parsed = xml::parse(text, Root::Element, &options)
        .map_err(|_| cryptographic("The provided XML could not be read."))?;
    let elements = parsed.elements(None);
    let number = |name: &str| -> Result<Option<Digits>, Exception> {
        let is_it = |it: &&xml::Node| it.name().is_some_and(|own| &*own.local == name);
        let Some(found) = elements.iter().find(is_it) else { return Ok(None) };
        let text: String = found.value().chars().filter(|it| !it.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(text).map_err(|_| {
            Exception::format(
                "The input is not a valid Base-64 string as it contains a non-base 64 character, \
                 more than two padding characters, or an illegal character among the padding \
                 characters.",
            )
        })?;
        Ok(Some(Digits::new(bytes)))
    };
    let required = |name: &str| {
        let message = format!(
            "Input string does not contain a valid encoding of the 'RSA' '{name}' parameter."
        );
        number(name)?.ok_or_else(|| Exception::from(cryptographic(message)))
    };
    let mut key = RsaNumbers::public(&required("Modulus")?, &required("Exponent")?);
    let others = [number("D")?, number("P")?, number("Q")?];
    let more = [number("DP")?, number("DQ")?, number("InverseQ")?];
    match (others, more) {
        ([None, None, None], [None, None, None]) => {}
        ([Some(d), Some(p), Some(q)], [Some(dp), Some(dq), Some(inverse_q)]) => {
            key.secret = Some(RsaSecret { d, p, q, dp, dq, inverse_q });
        }
        _ => return Err(cryptographic("Value was invalid.").into()),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::{RsaKey, of_xml, to_xml};

    #[test]
    fn a_key_in_xml_is_read_as_it_was_written() {
        let key = RsaKey::generate(512).unwrap();
        for with_private in [true, false] {
            let text = to_xml(&key, with_private).unwrap();
            let read = RsaKey::new(of_xml(&text).unwrap()).unwrap();
            assert_eq!(read.is_private(), with_private);
            assert_eq!(to_xml(&read, with_private).unwrap(), text);
        }
        assert!(to_xml(&key.public(), true).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, error) in [
            ("", "The provided XML could not be read."),
            ("<a/>", "'Modulus' parameter."),
            ("<a><Modulus>AQID</Modulus></a>", "'Exponent' parameter."),
            ("<a><Modulus>!</Modulus><Exponent>AQAB</Exponent></a>", "Base-64"),
            ("<a><Modulus>AQID</Modulus><Exponent>AQAB</Exponent><D>AQID</D></a>", "invalid."),
        ] {
            assert!(of_xml(text).unwrap_err().message.contains(error), "{text}");
        }
    }
}
