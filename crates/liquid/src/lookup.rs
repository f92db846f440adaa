//! What names mean while a template is rendered.

use dotnet::Str;

use crate::error::Stop;
use crate::expr::{Expr, Part, Path};
use crate::render::RenderCx;
use crate::value::Value;

impl RenderCx<'_> {
    /// The value of an expression. What is not there is nothing.
    pub(crate) fn eval(&mut self, expr: &Expr) -> Result<Value, Stop> {
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::Path(path) => self.follow(path),
            Expr::Range(ends) => {
                let (from, to) = (self.eval(&ends.0)?, self.eval(&ends.1)?);
                let end = |value: &Value| value.to_int().map(|it| it.unwrap_or(0));
                Ok(Value::Range(end(&from)?, end(&to)?))
            }
        }
    }

    fn follow(&mut self, path: &Path) -> Result<Value, Stop> {
        self.budget.steps(1 + path.rest.len() as u64)?;
        let mut value = match &path.first {
            Part::Name(name) => self.find(name.as_str()),
            Part::Index(index) => {
                let name = self.eval(index)?;
                self.budget.makes(name.weight())?;
                self.find(name.to_text().as_str())
            }
        };
        for part in &path.rest {
            value = match part {
                _ if matches!(value, Value::Nil) => return Ok(Value::Nil),
                Part::Name(name) => named(&value, name.as_str()),
                Part::Index(index) => {
                    let index = self.eval(index)?;
                    indexed(&value, &index)
                }
            };
        }
        Ok(value)
    }

    /// The value of a name: of the innermost loop, else assigned, else counted, else given.
    pub(crate) fn find(&self, name: &str) -> Value {
        let is_it = |it: &&(Str, Value)| it.0 == *name;
        let scoped = self.scopes.iter().rev().find(is_it);
        let found = scoped.or_else(|| self.assigned.iter().find(is_it));
        if let Some((_, value)) = found {
            return value.clone();
        }
        if let Some((_, count)) = self.counters.iter().find(|it| it.0 == *name) {
            return Value::Int(*count);
        }
        let given = self.given.iter().find(|it| it.0 == name);
        given.map(|it| it.1.clone()).unwrap_or_default()
    }
}

/// `.name`: a member, or what can be asked of everything that can be looped over.
fn named(value: &Value, name: &str) -> Value {
    if let Some(found) = member(value, name) {
        return found;
    }
    let last = || value.len().and_then(|it| it.checked_sub(1)).and_then(|it| value.item(it));
    match name {
        "size" => value.len().map(|it| Value::Int(i32::try_from(it).unwrap_or(i32::MAX))),
        "first" => value.item(0),
        "last" => last(),
        // `a?.b` is no Liquid; those who write it mean `a.b`.
        _ => name.strip_suffix('?').and_then(|it| member(value, it)),
    }
    .unwrap_or_default()
}

/// `[value]`: an item of a list or a member.
fn indexed(value: &Value, index: &Value) -> Value {
    let at = match index {
        Value::Int(at) => i64::from(*at),
        Value::Long(at) => *at,
        Value::Text(name) => return member(value, name.as_str()).unwrap_or_default(),
        _ => return Value::Nil,
    };
    match (value, at) {
        (Value::Pair(it), 0) => Value::Text(it.0.clone()),
        (Value::Pair(it), 1) => it.1.clone(),
        (Value::List(_) | Value::Range(..), _) => {
            usize::try_from(at).ok().and_then(|it| value.item(it)).unwrap_or_default()
        }
        _ => Value::Nil,
    }
}

/// The member of a hash, or of what a loop over a hash sees: its name and value, and the members of
/// its value.
pub(crate) fn member(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Hash(hash) => hash.get(name).cloned(),
        Value::Pair(it) => match name {
            "Key" | "key" | "itemName" => Some(Value::Text(it.0.clone())),
            "Value" | "value" => Some(it.1.clone()),
            _ if it.0 == *name => Some(it.1.clone()),
            _ => member(&it.1, name),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::render_with;
    use crate::value::Value;

    fn given() -> Vec<(&'static str, Value)> {
        let address = Value::hash([("city", Value::from("Ulm")), ("no", Value::Long(7))]);
        let list = Value::list([Value::from("x"), Value::from("y")]);
        let body = Value::hash([("Address", address), ("list", list), ("text", Value::from("ab"))]);
        vec![("body", body), ("key", Value::from("city"))]
    }

    #[test]
    fn names_and_members_are_looked_up() {
        for (template, expected) in [
            ("{{ body.Address.city }}", "Ulm"),
            ("{{ body.address.City }}", "Ulm"),
            ("{{ body['Address'][key] }}", "Ulm"),
            ("{{ body.Address?.city? }}", "Ulm"),
            ("{{ ['body'].text }}", "ab"),
            ("{{ body.list[1] }}{{ body.list.first }}{{ body.list.last }}", "yxy"),
            ("{{ body.list.size }}{{ body.text.size }}{{ body.Address.size }}", "222"),
            ("{{ body.list[2] }}{{ body.list[-1] }}{{ body.Address[0] }}", ""),
            ("{{ body['size'] }}", ""),
            ("{{ body.none.none }}{{ none }}{{ body.text.none }}{{ body[nil] }}", ""),
            ("{% for m in body.Address %}{{ m.Key }}={{ m.Value }};{% endfor %}", "city=Ulm;no=7;"),
            ("{% for m in body.Address %}{{ m[0] }}={{ m[1] }};{% endfor %}", "city=Ulm;no=7;"),
            (
                "{% for m in body %}{{ m.itemName }}:{{ m.city }};{% endfor %}",
                "Address:Ulm;list:;text:;",
            ),
        ] {
            assert_eq!(render_with(template, &given()), expected, "{template}");
        }
    }
}
