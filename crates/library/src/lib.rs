//! Rows of the .NET libraries beside the core: LINQ, regular expressions, JSON, XML, cryptography.
//!
//! ```text
//! linq     System.Linq.Enumerable        over corelib's collections
//! regex    System.Text.RegularExpressions over dotnet::regex
//! crypto   System.Security.Cryptography   over dotnet::crypto
//! json     Newtonsoft.Json                over tree::json
//! xml      System.Xml.Linq                over tree::xml
//! annotations  objects at JSON tokens and XML nodes
//! stored   values as bytes, for caches
//! ```
//!
//! How to add a type is told in [`clr::rows`].

mod annotations;
pub mod crypto;
pub mod json;
pub mod linq;
pub mod regex;
pub mod stored;
pub mod xml;

use clr::rows::TypeDef;

/// Every type with a file of its own, one line each.
static TYPES: &[&TypeDef] = &[
    &linq::TYPE,
    &linq::IGROUPING,
    &linq::ILOOKUP,
    &linq::IORDEREDENUMERABLE,
    &json::extensions::TYPE,
    &json::jarray::TYPE,
    &json::jconstructor::TYPE,
    &json::jcontainer::TYPE,
    &json::jenumerable::TYPE,
    &json::jobject::TYPE,
    &json::jproperty::TYPE,
    &json::jraw::TYPE,
    &json::json_convert::TYPE,
    &json::jtoken::TYPE,
    &json::jtoken::EQUALITY_TYPE,
    &json::jvalue::TYPE,
    &xml::extensions::TYPE,
    &xml::xattribute::TYPE,
    &xml::xcontainer::TYPE,
    &xml::xdeclaration::TYPE,
    &xml::xdocument::TYPE,
    &xml::xelement::TYPE,
    &xml::xname::TYPE,
    &xml::xnamespace::TYPE,
    &xml::xnode::TYPE,
    &xml::xobject::TYPE,
    &regex::capture::TYPE,
    &regex::group::TYPE,
    &regex::matches::TYPE,
    &regex::options::TYPE,
    &regex::regex_type::TYPE,
    &crypto::asymmetric_algorithm::TYPE,
    &crypto::crypto_transform::TYPE,
    &crypto::extensions::TYPE,
    &crypto::hash_algorithm::TYPE,
    &crypto::hash_algorithm_name::TYPE,
    &crypto::key_sizes::TYPE,
    &crypto::oid::TYPE,
    &crypto::STREAM_TYPE,
    &crypto::public_key::TYPE,
    &crypto::rng::TYPE,
    &crypto::rsa::TYPE,
    &crypto::rsa_certificate_extensions::TYPE,
    &crypto::rsa_parameters::TYPE,
    &crypto::symmetric_algorithm::TYPE,
    &crypto::symmetric_algorithm::AES_TYPE,
    &crypto::symmetric_algorithm::TRIPLE_DES_TYPE,
    &crypto::x509_certificate::TYPE,
];

/// Tables of small types that share a file (exceptions, enums).
static TABLES: &[&[TypeDef]] = &[
    json::enums::TYPES,
    json::settings::TYPES,
    regex::collections::TYPES,
    crypto::asn_encoded_data::TYPES,
    crypto::enums::TYPES,
    crypto::hashes::TYPES,
    crypto::hmac::TYPES,
    crypto::rsa_padding::TYPES,
    crypto::x509_certificate2::TYPES,
    xml::comparers::TYPES,
    xml::enums::TYPES,
    xml::xtext::TYPES,
];

/// Every type of this crate.
pub fn types() -> impl Iterator<Item = &'static TypeDef> {
    TYPES.iter().copied().chain(TABLES.iter().flat_map(|it| it.iter()))
}

#[cfg(test)]
mod test_support {
    //! Evaluations for unit tests.

    use clr::{EvalCx, Limits};
    use dotnet::Runtime;

    /// Runs something with a fresh evaluation over a host that knows nothing.
    pub(crate) fn with_cx<R>(f: impl FnOnce(&mut EvalCx<'_>) -> R) -> R {
        clr::rows::register(|| corelib::types().chain(crate::types()));
        let host = clr::host::EmptyHost::default();
        f(&mut EvalCx::new(&host, Runtime::Modern, Limits::default()))
    }
}
