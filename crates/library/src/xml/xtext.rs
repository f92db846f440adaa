//! `XText`, `XCData`, `XComment`, `XProcessingInstruction` and `XDocumentType`:
//! <https://learn.microsoft.com/dotnet/api/system.xml.linq.xtext>
//!
//! They differ in little but their constructors, so they share one file.

use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::Type;
use clr::value::Value;
use dotnet::Str;
use tree::xml::{DocumentType, Name, Node};

use super::xattribute::value_of;
use super::{XNODE, node};

const TEXT_NAME: &str = "System.Xml.Linq.XText";
const CDATA_NAME: &str = "System.Xml.Linq.XCData";
const COMMENT_NAME: &str = "System.Xml.Linq.XComment";
const INSTRUCTION_NAME: &str = "System.Xml.Linq.XProcessingInstruction";
const DOCUMENT_TYPE_NAME: &str = "System.Xml.Linq.XDocumentType";

const XTEXT: Type = Type::named(TEXT_NAME);
const XCDATA: Type = Type::named(CDATA_NAME);
const XCOMMENT: Type = Type::named(COMMENT_NAME);
const XINSTRUCTION: Type = Type::named(INSTRUCTION_NAME);
/// `XDocumentType`.
pub(super) const XDOCUMENTTYPE: Type = Type::named(DOCUMENT_TYPE_NAME);

const VALUE: Member = Member::property("Value", Type::String, value_of).set(|args, _| {
    let new: Str = args.arg(1)?;
    node(args, 0)?.set_value(new.as_str())?;
    Ok(Value::Null)
});

const FOUR: [Type; 4] = [Type::String, Type::String, Type::String, Type::String];

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        TEXT_NAME,
        &[
            Member::constructor(&[Type::String], XTEXT, |args, _| made(args, Node::text))
                .params(&["value"]),
            Member::constructor(&[XTEXT], XTEXT, |args, _| copy(args)).params(&["other"]),
            VALUE,
        ],
    )
    .bases(&[XNODE]),
    TypeDef::class(
        CDATA_NAME,
        &[
            Member::constructor(&[Type::String], XCDATA, |args, _| made(args, Node::cdata))
                .params(&["value"]),
            Member::constructor(&[XCDATA], XCDATA, |args, _| copy(args)).params(&["other"]),
        ],
    )
    .bases(&[XTEXT]),
    TypeDef::class(
        COMMENT_NAME,
        &[
            Member::constructor(&[Type::String], XCOMMENT, |args, _| made(args, Node::comment))
                .params(&["value"]),
            Member::constructor(&[XCOMMENT], XCOMMENT, |args, _| copy(args)).params(&["other"]),
            VALUE,
        ],
    )
    .bases(&[XNODE]),
    TypeDef::class(
        INSTRUCTION_NAME,
        &[
            Member::constructor(&[Type::String, Type::String], XINSTRUCTION, |args, _| {
                let (target, data): (Str, Str) = args.get()?;
                check_target(target.as_str())?;
                Ok(super::object(Node::instruction(target.as_str(), data.as_str())))
            })
            .params(&["target", "data"]),
            Member::constructor(&[XINSTRUCTION], XINSTRUCTION, |args, _| copy(args))
                .params(&["other"]),
            Member::property("Target", Type::String, |args, _| {
                Ok(node(args, 0)?.target().map_or(Value::Null, |it| Value::String(it.into())))
            })
            .set(|args, _| {
                let new: Str = args.arg(1)?;
                check_target(new.as_str())?;
                node(args, 0)?.set_target(new.as_str());
                Ok(Value::Null)
            }),
            Member::property("Data", Type::String, value_of).set(|args, _| {
                let new: Str = args.arg(1)?;
                node(args, 0)?.set_value(new.as_str())?;
                Ok(Value::Null)
            }),
        ],
    )
    .bases(&[XNODE]),
    TypeDef::class(
        DOCUMENT_TYPE_NAME,
        &[
            Member::constructor(&FOUR, XDOCUMENTTYPE, |args, _| {
                type Parts = (Str, Option<Str>, Option<Str>, Option<Str>);
                let (name, public, system, subset): Parts = args.get()?;
                Name::new("", name.as_str())?;
                let text = |it: Option<Str>| it.map(|it| it.as_str().to_owned());
                Ok(super::object(Node::document_type(DocumentType {
                    name: name.as_str().to_owned(),
                    public_id: text(public),
                    system_id: text(system),
                    internal_subset: text(subset),
                })))
            })
            .params(&["name", "publicId", "systemId", "internalSubset"]),
            Member::property("Name", Type::String, |args, _| {
                part(args, |it| Some(it.name.clone()))
            })
            .set(|args, _| {
                let name: Str = args.arg(1)?;
                Name::new("", name.as_str())?;
                node(args, 0)?.change_type(|it| name.as_str().clone_into(&mut it.name));
                Ok(Value::Null)
            }),
            Member::property("PublicId", Type::String, |args, _| {
                part(args, |it| it.public_id.clone())
            })
            .set(|args, _| set_part(args, |it| &mut it.public_id)),
            Member::property("SystemId", Type::String, |args, _| {
                part(args, |it| it.system_id.clone())
            })
            .set(|args, _| set_part(args, |it| &mut it.system_id)),
            Member::property("InternalSubset", Type::String, |args, _| {
                part(args, |it| it.internal_subset.clone())
            })
            .set(|args, _| set_part(args, |it| &mut it.internal_subset)),
        ],
    )
    .bases(&[XNODE]),
];

fn made(args: &mut Args<'_>, make: fn(&str) -> Node) -> Result<Value, Exception> {
    let (text,): (Str,) = args.get()?;
    Ok(super::object(make(text.as_str())))
}

fn copy(args: &mut Args<'_>) -> Result<Value, Exception> {
    Ok(super::object(node(args, 0)?.deep_clone()?))
}

fn set_part(
    args: &mut Args<'_>,
    part: fn(&mut DocumentType) -> &mut Option<String>,
) -> Result<Value, Exception> {
    let new: Option<Str> = args.arg(1)?;
    let new = new.map(|it| it.as_str().to_owned());
    node(args, 0)?.change_type(|it| *part(it) = new);
    Ok(Value::Null)
}

/// The name of a processing instruction, which must not be `xml`.
fn check_target(target: &str) -> Result<(), Exception> {
    Name::new("", target)?;
    if target.eq_ignore_ascii_case("xml") {
        let text = format!("'{target}' is an invalid name for a processing instruction.");
        return Err(Exception::argument(text));
    }
    Ok(())
}

fn part(
    args: &mut Args<'_>,
    part: fn(&DocumentType) -> Option<String>,
) -> Result<Value, Exception> {
    Ok(node(args, 0)?.type_of_document().and_then(|it| part(&it)).into())
}

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn character_data_is_text() {
        let cdata = TYPES.iter().find(|it| it.short_name() == "XCData").unwrap();
        assert_eq!(cdata.bases, [super::XTEXT]);
    }
}
