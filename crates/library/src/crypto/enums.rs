//! Enumerations of `System.Security.Cryptography`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.ciphermode>
//!
//! They are tables of names and numbers, so they share one file.

use clr::rows::TypeDef;
use clr::types::Type;

const MODE_NAME: &str = "System.Security.Cryptography.CipherMode";
const PADDING_NAME: &str = "System.Security.Cryptography.PaddingMode";
const NAME_TYPE_NAME: &str = "System.Security.Cryptography.X509Certificates.X509NameType";
const CONTENT_TYPE_NAME: &str = "System.Security.Cryptography.X509Certificates.X509ContentType";

const SIGNATURE_MODE_NAME: &str = "System.Security.Cryptography.RSASignaturePaddingMode";
const ENCRYPTION_MODE_NAME: &str = "System.Security.Cryptography.RSAEncryptionPaddingMode";
const STORAGE_FLAGS_NAME: &str =
    "System.Security.Cryptography.X509Certificates.X509KeyStorageFlags";
const OID_GROUP_NAME: &str = "System.Security.Cryptography.OidGroup";

/// `OidGroup`.
pub(super) const OID_GROUP: Type = Type::named(OID_GROUP_NAME);
/// `RSASignaturePaddingMode`.
pub(super) const SIGNATURE_MODE: Type = Type::named(SIGNATURE_MODE_NAME);
/// `RSAEncryptionPaddingMode`.
pub(super) const ENCRYPTION_MODE: Type = Type::named(ENCRYPTION_MODE_NAME);
/// `X509KeyStorageFlags`.
pub(super) const STORAGE_FLAGS: Type = Type::named(STORAGE_FLAGS_NAME);
/// `CipherMode`.
pub(super) const MODE: Type = Type::named(MODE_NAME);
/// `PaddingMode`.
pub(super) const PADDING: Type = Type::named(PADDING_NAME);
/// `X509NameType`.
pub(super) const NAME_TYPE: Type = Type::named(NAME_TYPE_NAME);
/// `X509ContentType`.
pub(super) const CONTENT_TYPE: Type = Type::named(CONTENT_TYPE_NAME);

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::enumeration(MODE_NAME, &[("CBC", 1), ("ECB", 2), ("OFB", 3), ("CFB", 4), ("CTS", 5)]),
    TypeDef::enumeration(
        PADDING_NAME,
        &[("None", 1), ("PKCS7", 2), ("Zeros", 3), ("ANSIX923", 4), ("ISO10126", 5)],
    ),
    TypeDef::enumeration(
        OID_GROUP_NAME,
        &[
            ("All", 0),
            ("HashAlgorithm", 1),
            ("EncryptionAlgorithm", 2),
            ("PublicKeyAlgorithm", 3),
            ("SignatureAlgorithm", 4),
            ("Attribute", 5),
            ("ExtensionOrAttribute", 6),
            ("EnhancedKeyUsage", 7),
            ("Policy", 8),
            ("Template", 9),
            ("KeyDerivationFunction", 10),
        ],
    ),
    TypeDef::enumeration(SIGNATURE_MODE_NAME, &[("Pkcs1", 0), ("Pss", 1)]).unlisted(),
    TypeDef::enumeration(ENCRYPTION_MODE_NAME, &[("Pkcs1", 0), ("Oaep", 1)]).unlisted(),
    TypeDef::flags(
        STORAGE_FLAGS_NAME,
        &[
            ("DefaultKeySet", 0),
            ("UserKeySet", 1),
            ("MachineKeySet", 2),
            ("Exportable", 4),
            ("UserProtected", 8),
            ("PersistKeySet", 16),
            ("EphemeralKeySet", 32),
        ],
    )
    .unlisted(),
    TypeDef::enumeration(
        NAME_TYPE_NAME,
        &[
            ("SimpleName", 0),
            ("EmailName", 1),
            ("UpnName", 2),
            ("DnsName", 3),
            ("DnsFromAlternativeName", 4),
            ("UrlName", 5),
        ],
    ),
    TypeDef::enumeration(
        CONTENT_TYPE_NAME,
        &[
            ("Unknown", 0),
            ("Cert", 1),
            ("SerializedCert", 2),
            ("Pfx", 3),
            ("Pkcs12", 3),
            ("SerializedStore", 4),
            ("Pkcs7", 5),
            ("Authenticode", 6),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn padding_is_numbered_as_in_dotnet() {
        assert_eq!(TYPES[1].enum_value("PKCS7"), Some(2));
    }
}
