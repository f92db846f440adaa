//! Values as they are written: literals, ranges and names with their members.

use dotnet::Str;

use crate::value::Value;

/// A value to find out.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    /// A literal, `nil`, `empty`.
    Literal(Value),
    /// `(from..to)`.
    Range(Box<(Expr, Expr)>),
    /// A name and what is asked of its value.
    Path(Path),
}

/// `body.items[0].name`.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) first: Part,
    pub(crate) rest: Vec<Part>,
}

/// A part of a path.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// `.name`.
    Name(Str),
    /// `[value]`.
    Index(Box<Expr>),
}

impl Path {
    /// The names that it begins with, up to the first value in brackets that is not a literal.
    /// None if it does not begin with one: then it may begin with any.
    pub(crate) fn names(&self) -> Option<Vec<Str>> {
        let name = |it: &Part| match it {
            Part::Name(name) => Some(name.clone()),
            Part::Index(index) => match index.as_literal() {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            },
        };
        let mut names = vec![name(&self.first)?];
        names.extend(self.rest.iter().map_while(name));
        Some(names)
    }
}

impl Expr {
    /// The literal, if it is one.
    pub(crate) fn as_literal(&self) -> Option<&Value> {
        match self {
            Expr::Literal(value) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_names_that_are_known() {
        let name = |it: &str| Part::Name(it.into());
        let index = |value| Part::Index(Box::new(Expr::Literal(value)));
        let names = |first, rest| {
            let names = Path { first, rest }.names();
            names.map(|it| it.iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>())
        };
        let rest = vec![index(Value::from("b")), index(Value::Int(0)), name("c")];
        assert_eq!(names(name("a"), rest).unwrap(), ["a", "b"]);
        assert_eq!(names(index(Value::Nil), vec![name("a")]), None);
    }
}
