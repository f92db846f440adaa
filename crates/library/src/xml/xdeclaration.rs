//! `System.Xml.Linq.XDeclaration`: <https://learn.microsoft.com/dotnet/api/system.xml.linq.xdeclaration>

use std::sync::{Mutex, MutexGuard, PoisonError};

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::{Runtime, Str};
use tree::xml::Declaration;

const NAME: &str = "System.Xml.Linq.XDeclaration";

/// `XDeclaration`.
pub(super) const XDECLARATION: Type = Type::named(NAME);

pub(crate) static TYPE: TypeDef = TypeDef::class(NAME, MEMBERS);

const PARTS: [Type; 3] = [Type::String, Type::String, Type::String];

/// A declaration as an object.
#[derive(Debug)]
pub(super) struct XDeclaration(Mutex<Declaration>);

impl XDeclaration {
    fn lock(&self) -> MutexGuard<'_, Declaration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says now.
    pub(super) fn get(&self) -> Declaration {
        self.lock().clone()
    }
}

impl Object for XDeclaration {
    fn net_type(&self) -> Type {
        XDECLARATION
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.lock().to_string().into()
    }
}

/// A declaration as a value.
pub(super) fn value(it: Declaration) -> Value {
    Value::object(XDeclaration(Mutex::new(it)))
}

type Part = fn(&mut Declaration) -> &mut Option<String>;

const VERSION: Part = |it| &mut it.version;
const ENCODING: Part = |it| &mut it.encoding;
const STANDALONE: Part = |it| &mut it.standalone;

const MEMBERS: &[Member] = &[
    Member::constructor(&PARTS, XDECLARATION, |args, _| {
        let text = |it: Option<Str>| it.map(|it| it.as_str().to_owned());
        let (version, encoding, standalone) = args.get()?;
        Ok(value(Declaration {
            version: text(version),
            encoding: text(encoding),
            standalone: text(standalone),
        }))
    })
    .params(&["version", "encoding", "standalone"]),
    Member::property("Version", Type::String, |args, _| get(args, VERSION))
        .set(|args, _| set(args, VERSION)),
    Member::property("Encoding", Type::String, |args, _| get(args, ENCODING))
        .set(|args, _| set(args, ENCODING)),
    Member::property("Standalone", Type::String, |args, _| get(args, STANDALONE))
        .set(|args, _| set(args, STANDALONE)),
];

fn get(args: &Args<'_>, part: Part) -> Result<Value, Exception> {
    let it = args.value(0).as_object::<XDeclaration>().ok_or_else(Exception::null_reference)?;
    Ok(part(&mut it.lock()).clone().into())
}

fn set(args: &mut Args<'_>, part: Part) -> Result<Value, Exception> {
    let new: Option<Str> = args.arg(1)?;
    let it = args.value(0).as_object::<XDeclaration>().ok_or_else(Exception::null_reference)?;
    *part(&mut it.lock()) = new.map(|it| it.as_str().to_owned());
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use tree::xml::Declaration;

    use super::value;

    #[test]
    fn its_text_is_the_declaration() {
        let it = Declaration { version: Some("1.0".to_owned()), encoding: None, standalone: None };
        assert_eq!(value(it).to_text(), "<?xml version=\"1.0\"?>");
    }
}
