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
                Name::new("", target.as_str())?;
                Ok(super::object(Node::instruction(target.as_str(), data.as_str())))
            })
            .params(&["target", "data"]),
            Member::constructor(&[XINSTRUCTION], XINSTRUCTION, |args, _| copy(args))
                .params(&["other"]),
            Member::property("Target", Type::String, |args, _| {
                Ok(node(args, 0)?.target().map_or(Value::Null, |it| Value::String(it.into())))
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
            }),
            Member::property("PublicId", Type::String, |args, _| {
                part(args, |it| it.public_id.clone())
            }),
            Member::property("SystemId", Type::String, |args, _| {
                part(args, |it| it.system_id.clone())
            }),
            Member::property("InternalSubset", Type::String, |args, _| {
                part(args, |it| it.internal_subset.clone())
            }),
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
