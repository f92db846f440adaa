//! The functions: their names, how many arguments they take, what they give.
//!
//! Sources: XPath 1.0, section 4; XSLT 1.0, section 12; `msxsl:` as .NET has it; EXSLT's common
//! functions.

use super::Type;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Boolean,
    Ceiling,
    Concat,
    Contains,
    Count,
    Current,
    IsInstruction,
    False,
    Floor,
    FormatNumber,
    IsAvailable,
    GenerateId,
    Id,
    Key,
    Lang,
    Last,
    LocalName,
    Name,
    NamespaceUri,
    NodeSet,
    NormalizeSpace,
    Not,
    Number,
    ObjectType,
    Position,
    Round,
    StartsWith,
    String,
    StringLength,
    Substring,
    SubstringAfter,
    SubstringBefore,
    Sum,
    SystemProperty,
    Translate,
    True,
    UnparsedEntityUri,
}

use Function as F;
use Type::{Boolean, Nodes, Number, Text};

/// One row: name, function, least and greatest number of arguments, whether the first must be a
/// node-set, and the type of the result.
type Row = (&'static str, Function, usize, usize, bool, Type);

const MANY: usize = usize::MAX;

/// The functions without a prefix.
const CORE: &[Row] = &[
    ("boolean", F::Boolean, 1, 1, false, Boolean),
    ("ceiling", F::Ceiling, 1, 1, false, Number),
    ("concat", F::Concat, 2, MANY, false, Text),
    ("contains", F::Contains, 2, 2, false, Boolean),
    ("count", F::Count, 1, 1, true, Number),
    ("current", F::Current, 0, 0, false, Nodes),
    ("element-available", F::IsInstruction, 1, 1, false, Boolean),
    ("false", F::False, 0, 0, false, Boolean),
    ("floor", F::Floor, 1, 1, false, Number),
    ("format-number", F::FormatNumber, 2, 3, false, Text),
    ("function-available", F::IsAvailable, 1, 1, false, Boolean),
    ("generate-id", F::GenerateId, 0, 1, true, Text),
    ("id", F::Id, 1, 1, false, Nodes),
    ("key", F::Key, 2, 2, false, Nodes),
    ("lang", F::Lang, 1, 1, false, Boolean),
    ("last", F::Last, 0, 0, false, Number),
    ("local-name", F::LocalName, 0, 1, true, Text),
    ("name", F::Name, 0, 1, true, Text),
    ("namespace-uri", F::NamespaceUri, 0, 1, true, Text),
    ("normalize-space", F::NormalizeSpace, 0, 1, false, Text),
    ("not", F::Not, 1, 1, false, Boolean),
    ("number", F::Number, 0, 1, false, Number),
    ("position", F::Position, 0, 0, false, Number),
    ("round", F::Round, 1, 1, false, Number),
    ("starts-with", F::StartsWith, 2, 2, false, Boolean),
    ("string", F::String, 0, 1, false, Text),
    ("string-length", F::StringLength, 0, 1, false, Number),
    ("substring", F::Substring, 2, 3, false, Text),
    ("substring-after", F::SubstringAfter, 2, 2, false, Text),
    ("substring-before", F::SubstringBefore, 2, 2, false, Text),
    ("sum", F::Sum, 1, 1, true, Number),
    ("system-property", F::SystemProperty, 1, 1, false, Type::Any),
    ("translate", F::Translate, 3, 3, false, Text),
    ("true", F::True, 0, 0, false, Boolean),
    ("unparsed-entity-uri", F::UnparsedEntityUri, 1, 1, false, Text),
];

const NODE_SET: Row = ("node-set", F::NodeSet, 1, 1, false, Nodes);
const OBJECT_TYPE: Row = ("object-type", F::ObjectType, 1, 1, false, Text);

/// Microsoft's vocabulary.
pub(crate) const MSXSL: &str = "urn:schemas-microsoft-com:xslt";
/// EXSLT's common vocabulary.
pub(crate) const EXSLT: &str = "http://exslt.org/common";

impl Function {
    /// The function of that name, if there is one.
    pub(crate) fn named(space: &str, local: &str) -> Option<Self> {
        row(space, local).map(|it| it.1)
    }

    /// What is wrong with so many arguments of these types, if something is.
    pub(crate) fn check(self, arguments: &[Type]) -> Result<(), String> {
        let Some((name, _, min, max, wants_nodes, _)) = self.row() else { return Ok(()) };
        let n = arguments.len();
        if n < *min || n > *max {
            let wanted = match (*min, *max) {
                (min, MANY) => format!("at least {min}"),
                (min, max) if min == max => min.to_string(),
                (min, max) => format!("{min} to {max}"),
            };
            let word = if wanted == "1" { "argument" } else { "arguments" };
            return Err(format!("`{name}()` takes {wanted} {word}, not {n}"));
        }
        match arguments.first() {
            Some(Type::Text | Type::Number | Type::Boolean) if *wants_nodes => {
                Err(format!("the argument of `{name}()` must be a node-set"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn result(self) -> Type {
        self.row().map_or(Type::Any, |it| it.5)
    }

    /// Are its texts names, to be read with the prefixes in scope?
    pub(crate) fn reads_names(self) -> bool {
        matches!(
            self,
            F::Key | F::FormatNumber | F::SystemProperty | F::IsInstruction | F::IsAvailable
        )
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().map_or("", |it| it.0)
    }

    fn row(self) -> Option<&'static Row> {
        let all = CORE.iter().chain([&NODE_SET, &OBJECT_TYPE]);
        all.into_iter().find(|it| it.1 == self)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        CORE.iter().map(|it| it.0)
    }
}

fn row(space: &str, local: &str) -> Option<&'static Row> {
    match (space, local) {
        ("", _) => CORE.iter().find(|it| it.0 == local),
        (MSXSL | EXSLT, "node-set") => Some(&NODE_SET),
        (EXSLT, "object-type") => Some(&OBJECT_TYPE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_and_their_arguments_counted() {
        assert_eq!(Function::named("", "count"), Some(Function::Count));
        assert_eq!(Function::named(MSXSL, "node-set"), Some(Function::NodeSet));
        assert_eq!(Function::named(EXSLT, "node-set"), Some(Function::NodeSet));
        assert_eq!(Function::named("", "node-set"), None);

        let check = |function: Function, types: &[Type]| function.check(types).err();
        assert_eq!(check(F::Count, &[Nodes]), None);
        assert_eq!(check(F::Concat, &[Text; 9]), None);
        for (function, types, message) in [
            (F::Count, &[][..], "`count()` takes 1 argument, not 0"),
            (F::Concat, &[Text], "`concat()` takes at least 2 arguments, not 1"),
            (F::Substring, &[Text; 4], "`substring()` takes 2 to 3 arguments, not 4"),
            (F::Sum, &[Text], "the argument of `sum()` must be a node-set"),
        ] {
            assert_eq!(check(function, types).as_deref(), Some(message));
        }
    }

    #[test]
    fn every_row_stands_once() {
        for (name, function, ..) in CORE {
            assert_eq!(Function::named("", name), Some(*function));
            assert_eq!(function.name(), *name);
        }
    }
}
