//! How to mend what is refused: advice for messages, where authors go wrong most.

use clr::rows::{self, MemberKind};
use clr::types::{Type, names};

use super::conversion::explicit;
use super::{Binder, Expr};

/// How many members a type may have to be listed in a message.
const MAX_LISTED: usize = 8;

/// Names of other languages for types of C#.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("boolean", "bool"),
    ("Bool", "bool"),
    ("integer", "int"),
    ("Integer", "int"),
    ("Int", "int"),
    ("number", "double"),
    ("str", "string"),
    ("Long", "long"),
];

/// Why some well-known types are not there, and what takes their place.
pub(super) fn absent_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "CultureInfo" | "NumberStyles" | "DateTimeStyles" => {
            "`System.Globalization` is not allowed; formatting and parsing are invariant already"
        }
        "HttpUtility" => "use `System.Net.WebUtility` or `Uri.EscapeDataString`",
        "HttpClient" | "WebClient" | "WebRequest" | "HttpRequestMessage" => {
            "expressions cannot reach outside of the request; `<send-request>` calls a service"
        }
        "Environment" | "File" | "Directory" | "Path" | "Process" | "Assembly" | "Activator"
        | "AppDomain" => "expressions cannot reach outside of the request",
        "Thread" | "Task" | "Parallel" | "Timer" | "CancellationToken" | "SemaphoreSlim" => {
            "expressions are synchronous; `<wait>` and `<retry>` wait"
        }
        "Console" | "Debug" | "Trace" | "ILogger" => "use `context.Trace(\"...\")`",
        "JsonSerializer" | "JsonDocument" | "JsonElement" | "JsonNode" | "JavaScriptSerializer" => {
            "JSON is read with `JObject.Parse(...)` and written with `JsonConvert.SerializeObject(...)`"
        }
        "Stream" | "MemoryStream" | "StreamReader" | "StreamWriter" | "BinaryReader" => {
            "streams are not allowed; work with `byte[]` and `Encoding.UTF8`"
        }
        "XmlDocument" | "XmlReader" | "XPathDocument" => "XML is read with `XElement.Parse(...)`",
        "Stopwatch" => "`context.Elapsed` is the time since the request came",
        "Aes" | "AesManaged" | "RijndaelManaged" => "use `Encrypt(\"AES\", key, iv)` on the bytes",
        "ValueTuple" => "tuples are not allowed; use an anonymous object, `new { a, b }`",
        "ConfigurationManager" => "settings are named values, `{{name}}`",
        _ => return None,
    })
}

/// What to write for a type that nobody knows.
pub(super) fn unknown_type(name: &str) -> Option<String> {
    let other = OTHER_NAMES.iter().find(|(own, _)| *own == name);
    other.map(|(_, known)| format!("did you mean `{known}`?"))
}

/// What takes the place of a member that may not be used.
pub(super) fn absent_member(of: Type, name: &str) -> Option<&'static str> {
    Some(match (of, name) {
        (Type::DateTime, "ToUniversalTime" | "ToLocalTime" | "Kind") => {
            "times of `context` and `DateTime.UtcNow` are UTC already"
        }
        (Type::DateTime, "ParseExact" | "TryParse" | "TryParseExact") => {
            "use `DateTime.Parse(...)`, in a `try` if the text may be none"
        }
        (Type::DateTime, "Compare" | "CompareTo") => "compare with `<`, `==` and `>`",
        _ => return None,
    })
}

/// Why a member of .NET cannot be called although its type may be used: its signature needs a type
/// that may not.
pub(super) fn uncallable_member(of: Type, name: &str) -> Option<&'static str> {
    let full_name = of.full_name();
    if !full_name.starts_with("System.") && !full_name.starts_with("Newtonsoft.") {
        return None;
    }
    Some(match name {
        "Changed" | "Changing" | "CollectionChanged" | "ListChanged" | "AddingNew"
        | "PropertyChanged" | "PropertyChanging" => {
            "it is an event, and the type of its handlers is not on the list of allowed types"
        }
        "CreateReader" | "CreateWriter" | "ReadFrom" | "WriteTo" => {
            "readers and writers of JSON and XML are not on the list of allowed types; use \
             `Parse(...)` and `ToString(...)`"
        }
        "Load" => "a text is read with `Parse(...)`",
        "AsSpan" | "AsMemory" | "Preamble" => {
            "spans are not on the list of allowed types; arrays are taken where .NET asks for them"
        }
        it if it.ends_with("Async") => "expressions are synchronous: leave out `Async`",
        _ => return None,
    })
}

/// What changes a part of `context`, which expressions only read.
pub(super) fn read_only(of: Type, member: &str) -> Option<&'static str> {
    let name = of.definition_name()?;
    if name != names::IREADONLYDICTIONARY && !name.starts_with("Apim.") {
        return None;
    }
    Some(match member {
        "StatusCode" | "StatusReason" => "`<set-status>` changes it",
        "Method" => "`<set-method>` changes it",
        "Body" => "`<set-body>` changes it",
        "Url" | "Path" | "Host" | "QueryString" | "Scheme" | "Port" => {
            "`<rewrite-uri>`, `<set-query-parameter>` and `<set-backend-service>` change it"
        }
        "Item" => "`<set-variable>` sets a variable, `<set-header>` a header",
        _ => "expressions only read `context`; policies change it",
    })
}

/// How a value becomes one of another type.
pub(super) fn conversion(from: &Expr, to: Type) -> Option<String> {
    let cast = || explicit(from.ty, to, false).map(|_| format!("cast it: `({to})...`"));
    let plain = to.without_null();
    let parses = plain.is_numeric()
        || matches!(plain, Type::Bool | Type::Guid | Type::DateTime | Type::TimeSpan);
    if from.constant.is_some() && from.ty.is_numeric() && to.is_numeric() {
        return Some(match plain {
            Type::Decimal => "write the number with the suffix `m`".to_owned(),
            Type::Single => "write the number with the suffix `f`".to_owned(),
            other => format!("the value does not fit `{other}` as it is: cast it, `({other})...`"),
        });
    }
    match (from.ty, to) {
        (Type::STRINGS, Type::String) => Some(
            "take one of the values, `[0]`, or join them, `string.Join(\",\", ...)`".to_owned(),
        ),
        (Type::BYTES, Type::String) => {
            Some("write `Convert.ToBase64String(...)` or `Encoding.UTF8.GetString(...)`".to_owned())
        }
        (Type::String, Type::BYTES) => Some(
            "write `Encoding.UTF8.GetBytes(...)` or `Convert.FromBase64String(...)`".to_owned(),
        ),
        (_, Type::String) => {
            let cast = cast().map(|it| format!("{it}, or call `.ToString()`"));
            cast.or_else(|| Some("call `.ToString()`".to_owned()))
        }
        (Type::String, _) if parses => Some(format!("parse it: `{plain}.Parse(...)`")),
        (Type::Nullable(inner), _) if *inner == to => {
            Some("say what null becomes: `... ?? 0`, or take `.Value`".to_owned())
        }
        _ => cast(),
    }
}

impl Binder {
    /// What to do about a member that a type has not.
    pub(super) fn missing_member(&self, of: Type, name: &str, is_static: bool) -> Option<String> {
        let has = |of: Type| self.member_names(of, false).contains(&name);
        if is_static {
            return None;
        }
        if of == Type::STRINGS && has(Type::String) {
            return Some(format!(
                "it holds all values of the name: take one, `[0].{name}`, or `GetValueOrDefault(...)`"
            ));
        }
        let can_be_text = of == Type::Object || of.is_named(names::JTOKEN);
        if can_be_text && has(Type::String) {
            return Some(format!("cast it first: `((string)x).{name}`"));
        }
        if of == Type::Object && has(Type::named(names::JOBJECT)) {
            return Some(format!("cast it first: `((JObject)x).{name}`"));
        }
        let members = match of {
            Type::Anonymous(it) => it.fields.iter().map(|(name, _)| format!("`{name}`")).collect(),
            _ => properties(of),
        };
        let n = members.len();
        (1..=MAX_LISTED).contains(&n).then(|| format!("it has {}", members.join(", ")))
    }
}

/// The properties that a type itself has.
fn properties(of: Type) -> Vec<String> {
    let def = of.definition_name().and_then(rows::definition);
    let rows = def.map_or(&[][..], |it| it.members).iter();
    rows.filter(|it| it.kind == MemberKind::Property && it.listed)
        .map(|it| format!("`{}`", it.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_does_not_name_what_is_not_there() {
        crate::catalog::load();
        for (_, known) in OTHER_NAMES {
            let source = format!("default({known})");
            let options = crate::Options::default();
            assert!(crate::compile(&source, crate::Form::Expression, &options).is_ok(), "{known}");
        }
        assert!(absent_type("Console").is_some() && absent_type("Regex").is_none());
    }

    #[test]
    fn small_types_are_listed() {
        crate::catalog::load();
        let pair = clr::types::named(names::KEYVALUEPAIR, &[Type::String, Type::STRINGS]);
        let binder = Binder::new(crate::Options::default());
        let told = binder.missing_member(pair, "Name", false);
        assert_eq!(told.as_deref(), Some("it has `Key`, `Value`"));
    }
}
