//! `AsnEncodedData`, `X509Extension` and `X509ExtensionCollection`:
//! <https://learn.microsoft.com/dotnet/api/system.security.cryptography.asnencodeddata>
//!
//! None is on the list; listed members give and take them.

use std::sync::Arc;

use bytes::Bytes;
use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::sequence::Items;
use clr::value::{Cursor, Object, Value};
use dotnet::Str;
use dotnet::crypto::Certificate;

use super::oid::{self, OID};

const DATA_NAME: &str = "System.Security.Cryptography.AsnEncodedData";
const EXTENSION_NAME: &str = "System.Security.Cryptography.X509Certificates.X509Extension";
const COLLECTION_NAME: &str =
    "System.Security.Cryptography.X509Certificates.X509ExtensionCollection";

/// `AsnEncodedData`.
pub(super) const DATA: Type = Type::named(DATA_NAME);
const EXTENSION: Type = Type::named(EXTENSION_NAME);
/// `X509ExtensionCollection`.
pub(super) const EXTENSIONS: Type = Type::named(COLLECTION_NAME);

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(DATA_NAME, DATA_MEMBERS).unlisted(),
    TypeDef::class(
        EXTENSION_NAME,
        &[Member::property("Critical", Type::Bool, |args, _| {
            Ok((own(args)?.critical == Some(true)).into())
        })],
    )
    .bases(&[DATA])
    .unlisted(),
    TypeDef::class(COLLECTION_NAME, COLLECTION_MEMBERS)
        .bases(&[Type::enumerable(&[EXTENSION])])
        .unlisted(),
];

/// Data in DER, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    /// An `Oid`, or null.
    pub(super) oid: Value,
    /// In DER.
    pub(super) raw: Arc<[u8]>,
    /// Of an extension: must it be understood?
    critical: Option<bool>,
}

impl Object for Encoded {
    fn net_type(&self) -> Type {
        if self.critical.is_some() { EXTENSION } else { DATA }
    }
}

/// Data as a value.
pub(super) fn value(oid: Value, raw: &[u8]) -> Value {
    Value::object(Encoded { oid, raw: Arc::from(raw), critical: None })
}

const DATA_MEMBERS: &[Member] = &[
    Member::constructor(&[Type::BYTES], DATA, |args, _| {
        let raw: Bytes = args.arg(0)?;
        Ok(value(Value::Null, &raw))
    })
    .params(&["rawData"]),
    Member::constructor(&[OID, Type::BYTES], DATA, |args, _| {
        let (oid, raw): (Value, Bytes) = args.get()?;
        Ok(value(oid, &raw))
    })
    .params(&["oid", "rawData"]),
    Member::constructor(&[Type::String, Type::BYTES], DATA, |args, _| {
        let (oid, raw): (Str, Bytes) = args.get()?;
        Ok(value(oid::value(oid.as_str()), &raw))
    })
    .params(&["oid", "rawData"]),
    Member::property("Oid", OID, |args, _| Ok(own(args)?.oid.clone())),
    Member::property("RawData", Type::BYTES, |args, cx| {
        let it = own(args)?;
        cx.allocate(it.raw.len())?;
        Ok(it.raw.to_vec().into())
    }),
];

fn own(args: &Args<'_>) -> Result<Arc<Encoded>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

/// The extensions of a certificate.
#[derive(Debug)]
struct Extensions(Vec<Value>);

impl Object for Extensions {
    fn net_type(&self) -> Type {
        EXTENSIONS
    }

    fn cursor(self: Arc<Self>, _: &mut EvalCx<'_>) -> Result<Option<Box<dyn Cursor>>, Exception> {
        Ok(Some(Box::new(Items::new(self.0.clone()))))
    }
}

/// The extensions of a certificate as a value.
pub(super) fn extensions(of: &Certificate) -> Value {
    let all = of.extensions.iter().map(|it| {
        let (oid, critical) = (oid::value(&it.oid), Some(it.critical));
        Value::object(Encoded { oid, raw: Arc::from(&*it.raw), critical })
    });
    Value::object(Extensions(all.collect()))
}

const COLLECTION_MEMBERS: &[Member] = &[
    Member::property("Count", Type::Int32, |args, _| {
        Ok(i32::try_from(collection(args)?.0.len()).unwrap_or(i32::MAX).into())
    }),
    Member::indexer(&[Type::Int32], EXTENSION, |args, _| {
        let at: i32 = args.arg(1)?;
        if at < 0 {
            let message = "Enumeration has not started. Call MoveNext.";
            return Err(Exception::invalid_operation(message));
        }
        let found =
            usize::try_from(at).ok().and_then(|at| collection(args).ok()?.0.get(at).cloned());
        found.ok_or_else(|| dotnet::crypto::Fault::index_out_of_range().into())
    })
    .params(&["index"]),
    Member::indexer(&[Type::String], EXTENSION, |args, _| {
        let text: Option<Str> = args.arg(1)?;
        let number = text.map(|it| oid::number(&oid::value(it.as_str())));
        let all = collection(args)?;
        let found = all.0.iter().find(|it| {
            it.as_object::<Encoded>().is_some_and(|it| Some(oid::number(&it.oid)) == number)
        });
        Ok(found.cloned().unwrap_or(Value::Null))
    })
    .params(&["oid"]),
];

fn collection(args: &Args<'_>) -> Result<Arc<Extensions>, Exception> {
    args.value(0).to_object().ok_or_else(Exception::null_reference)
}

#[cfg(test)]
mod tests {
    use dotnet::crypto::Certificate;

    use super::{Encoded, Extensions, extensions};

    #[test]
    fn extensions_keep_their_order_and_bytes() {
        let pem = include_bytes!("../../../dotnet/src/crypto/testdata/certificate.pem");
        let certificate = Certificate::parse(pem).unwrap();
        let it = extensions(&certificate);
        let all = &it.as_object::<Extensions>().unwrap().0;
        assert_eq!(all.len(), certificate.extensions.len());
        for (own, read) in all.iter().zip(&certificate.extensions) {
            let own = own.as_object::<Encoded>().unwrap();
            assert_eq!((&*own.raw, own.critical), (&*read.raw, Some(read.critical)));
        }
    }
}
