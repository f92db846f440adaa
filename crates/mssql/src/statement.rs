//! A statement and its parameters. Values are never part of the statement's text.
//!
//! Source: <https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-executesql-transact-sql>

/// A statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its text, T-SQL.
    pub text: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name with the `@`; see [`is_parameter_name`].
    pub name: String,
    /// What the database reads the value as.
    pub sql_type: SqlType,
    /// Its value as a text; none is NULL.
    pub value: Option<String>,
}

/// Whether a text can be the name of a parameter: `@` and letters, digits and underscores, 128 at
/// most.
#[must_use]
pub fn is_parameter_name(text: &str) -> bool {
    text.strip_prefix('@').is_some_and(|it| {
        let fits = |it: char| it.is_ascii_alphanumeric() || it == '_';
        !it.is_empty() && it.len() < 128 && it.chars().all(fits)
    })
}

/// The type of a parameter. Values go over the wire as texts; the database converts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlType(&'static str);

/// Names as they are written, in lower case, and as they are declared. A `decimal` has the digits that
/// its value has.
const TYPES: [(&str, &str); 24] = [
    ("bigint", "bigint"),
    ("bit", "bit"),
    ("char", "char(8000)"),
    ("date", "date"),
    ("datetime", "datetime"),
    ("datetime2", "datetime2"),
    ("datetimeoffset", "datetimeoffset"),
    ("decimal", "decimal"),
    ("float", "float"),
    ("int", "int"),
    ("money", "money"),
    ("nchar", "nchar(4000)"),
    ("ntext", "nvarchar(max)"),
    ("numeric", "decimal"),
    ("nvarchar", "nvarchar(max)"),
    ("real", "real"),
    ("smalldatetime", "smalldatetime"),
    ("smallint", "smallint"),
    ("smallmoney", "smallmoney"),
    ("text", "varchar(max)"),
    ("time", "time"),
    ("tinyint", "tinyint"),
    ("uniqueidentifier", "uniqueidentifier"),
    ("varchar", "varchar(max)"),
];

/// Most digits behind the point of a `decimal` that is declared.
const MAX_SCALE: usize = 20;

impl Default for SqlType {
    fn default() -> SqlType {
        SqlType("nvarchar(max)")
    }
}

impl SqlType {
    /// The type with this name, in any case.
    #[must_use]
    pub fn named(text: &str) -> Option<SqlType> {
        let text = text.trim().to_ascii_lowercase();
        TYPES.iter().find(|(name, _)| *name == text).map(|(_, declared)| SqlType(declared))
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(name, _)| *name)
    }

    fn declared(self, value: Option<&str>) -> String {
        if self.0 != "decimal" {
            return self.0.to_owned();
        }
        let digits = value.and_then(|it| it.split_once('.')).map_or(0, |(_, it)| it.trim().len());
        format!("decimal(38,{})", digits.min(MAX_SCALE))
    }
}

impl Statement {
    /// The declaration of the parameters; empty if there are none.
    pub(crate) fn declaration(&self) -> String {
        let one =
            |it: &Parameter| format!("{} {}", it.name, it.sql_type.declared(it.value.as_deref()));
        self.parameters.iter().map(one).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_declared_with_their_types() {
        let parameter = |name: &str, ty: &str, value: Option<&str>| Parameter {
            name: name.to_owned(),
            sql_type: SqlType::named(ty).unwrap_or_default(),
            value: value.map(str::to_owned),
        };
        let statement = Statement {
            text: "SELECT @a".to_owned(),
            parameters: vec![
                parameter("@a", "", Some("x")),
                parameter("@b", "BigInt", None),
                parameter("@c", "Decimal", Some("1.250")),
                parameter("@d", "decimal", Some("1")),
                parameter("@e", " UniqueIdentifier ", Some("")),
            ],
        };
        assert_eq!(
            statement.declaration(),
            "@a nvarchar(max),@b bigint,@c decimal(38,3),@d decimal(38,0),@e uniqueidentifier"
        );
        assert_eq!(Statement::default().declaration(), "");
        assert_eq!(SqlType::named("varbinary"), None);
        assert_eq!(SqlType::names().count(), 24);
    }

    #[test]
    fn a_name_is_an_at_sign_and_a_word() {
        for (name, is_one) in [
            ("@a", true),
            ("@Family_Id1", true),
            ("a", false),
            ("@", false),
            ("@a b", false),
            ("@a int;--", false),
        ] {
            assert_eq!(is_parameter_name(name), is_one, "{name}");
        }
        assert!(!is_parameter_name(&format!("@{}", "x".repeat(128))));
    }
}
