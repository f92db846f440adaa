//! Parsing text into a tree, as leniently as Newtonsoft's reader does with its default settings.
//!
//! Single quotes, bare names, comments, trailing commas and octal numbers are accepted; a repeated
//! name replaces the earlier value; text after the end is an error. Depth is bounded to 64 as in
//! version 13, and the number of tokens by [`ParseOptions::max_tokens`].

use std::collections::HashMap;
use std::sync::Arc;

use super::arena::{Arena, Data, Members};
use super::date;
use super::lexer::{FailureKind, Lexed, Lexer, PathStep};
use super::navigate::write_name;
use super::scalar::{Kind, Scalar};
use super::{Fault, Token};
use crate::store::Store as _;

/// What the text must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `JToken.Parse`.
    Any,
    /// `JObject.Parse`.
    Object,
    /// `JArray.Parse`.
    Array,
    /// `JsonConvert.DeserializeObject`, which has an exception of its own for text that ends early.
    Deserialize,
}

/// How text is read.
#[derive(Clone, Debug)]
pub struct ParseOptions {
    /// Do strings that look like dates become dates (Newtonsoft's default)?
    pub dates: bool,
    /// Greatest depth of containers.
    pub max_depth: usize,
    /// Greatest number of tokens, properties included.
    pub max_tokens: usize,
    /// Is a fraction that no double holds (`1e400`) an error, as on .NET Framework?
    pub finite: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { dates: true, max_depth: 64, max_tokens: 2_000_000, finite: false }
    }
}

/// Parses `text`.
///
/// # Errors
///
/// `JsonReaderException` with path, line and position; `JsonSerializationException` for
/// [`Root::Deserialize`] if the text ends early; a limit.
pub fn parse(text: &str, root: Root, options: &ParseOptions) -> Result<Token, Fault> {
    let arena = Arena::with_capacity((text.len() / 16).clamp(4, 1 << 16));
    let mut reader = Reader {
        lexer: Lexer::new(text).finite(options.finite),
        arena,
        options,
        depth: 0,
        pending: Vec::new(),
    };
    match reader.root(root) {
        Ok(id) => Ok(Token::from_arena(reader.arena, id)),
        Err(failure) => {
            let before = text.get(..failure.at).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let position = before.rsplit('\n').next().map_or(0, |it| it.chars().count());
            let mut path = String::new();
            for step in failure.path.iter().rev() {
                match step {
                    PathStep::Name(name) => write_name(&mut path, name),
                    PathStep::Index(at) => path.push_str(&format!("[{at}]")),
                }
            }
            let message =
                format!("{} Path '{path}', line {line}, position {position}.", failure.message);
            Err(match failure.kind {
                FailureKind::Limit => Fault::limit(failure.message.clone()),
                FailureKind::End if root == Root::Deserialize => {
                    Fault::new("Newtonsoft.Json.JsonSerializationException", message)
                }
                _ => Fault::new("Newtonsoft.Json.JsonReaderException", message),
            })
        }
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    arena: Arena,
    options: &'a ParseOptions,
    depth: usize,
    /// Children of the containers that are still open.
    pending: Vec<u32>,
}

impl Reader<'_> {
    fn root(&mut self, root: Root) -> Lexed<u32> {
        let class = match root {
            Root::Object => "JObject",
            Root::Array => "JArray",
            Root::Any | Root::Deserialize => "JToken",
        };
        self.lexer.skip()?;
        if self.lexer.byte().is_none() {
            return self
                .lexer
                .failure(format!("Error reading {class} from JsonReader."), FailureKind::End);
        }
        let id = self.value()?;
        let kind = self.arena.data(id).kind();
        let expected = match root {
            Root::Object => Kind::Object,
            Root::Array => Kind::Array,
            Root::Any | Root::Deserialize => kind,
        };
        if kind != expected {
            let noun = if root == Root::Object { "object" } else { "array" };
            let found = match kind {
                Kind::Object => "StartObject",
                Kind::Array => "StartArray",
                Kind::Constructor => "StartConstructor",
                other => other.name(),
            };
            return self.lexer.fail(format!(
                "Error reading {class} from JsonReader. Current JsonReader item is not an {noun}: {found}."
            ));
        }
        self.lexer.skip()?;
        if self.lexer.byte().is_some() {
            return self
                .lexer
                .unexpected("Additional text encountered after finished reading JSON content");
        }
        Ok(id)
    }

    fn value(&mut self) -> Lexed<u32> {
        let value = match self.lexer.byte() {
            Some(b'{') => return self.object(),
            Some(b'[') => return self.array(),
            Some(b'"' | b'\'') => {
                let text = self.lexer.string()?;
                let date = if self.options.dates { date::recognise(&text) } else { None };
                date.map_or(Scalar::String(text), Scalar::Date)
            }
            Some(b'-') => {
                if self.lexer.at_word("-Infinity") {
                    self.lexer.literal("-Infinity", f64::NEG_INFINITY.into(), NOT_A_NUMBER)?
                } else {
                    self.lexer.number()?
                }
            }
            Some(b'0'..=b'9' | b'.') => self.lexer.number()?,
            Some(b't') => {
                self.lexer.literal("true", true.into(), "Error parsing boolean value.")?
            }
            Some(b'f') => {
                self.lexer.literal("false", false.into(), "Error parsing boolean value.")?
            }
            Some(b'n') if self.lexer.at_word("new") => return self.constructor(),
            Some(b'n') => self.lexer.literal("null", Scalar::Null, "Error parsing null value.")?,
            Some(b'u') => self.lexer.literal(
                "undefined",
                Scalar::Undefined,
                "Error parsing undefined value.",
            )?,
            Some(b'N') => self.lexer.literal("NaN", f64::NAN.into(), NOT_A_NUMBER)?,
            Some(b'I') => self.lexer.literal("Infinity", f64::INFINITY.into(), NOT_A_NUMBER)?,
            _ => {
                return self
                    .lexer
                    .unexpected("Unexpected character encountered while parsing value");
            }
        };
        self.push(Data::Value(value))
    }

    fn push(&mut self, data: Data) -> Lexed<u32> {
        let most = self.options.max_tokens;
        if self.arena.len() >= most {
            return self
                .lexer
                .failure(format!("JSON has more than {most} tokens"), FailureKind::Limit);
        }
        Ok(self.arena.push(data))
    }

    fn enter(&mut self) -> Lexed<()> {
        self.lexer.advance(1);
        self.depth += 1;
        let most = self.options.max_depth;
        if self.depth > most {
            return self.lexer.fail(format!("The reader's MaxDepth of {most} has been exceeded."));
        }
        Ok(())
    }

    /// Finishes the container `id`, whose children are pending from `from` on.
    fn close(&mut self, id: u32, from: usize) -> u32 {
        self.depth -= 1;
        let children = self.pending.get(from..).unwrap_or(&[]);
        self.arena.adopt(id, children);
        self.pending.truncate(from);
        id
    }

    /// `new Name(argument, ...)`.
    fn constructor(&mut self) -> Lexed<u32> {
        self.lexer.advance(3);
        self.lexer.skip()?;
        let name = self.lexer.word();
        self.lexer.skip()?;
        if name.is_empty() || self.lexer.byte() != Some(b'(') {
            return self.lexer.unexpected("Unexpected character while parsing constructor");
        }
        self.enter()?;
        let id = self.push(Data::Constructor(Box::new((Arc::from(name), Vec::new()))))?;
        self.elements(id, b')')
    }

    fn array(&mut self) -> Lexed<u32> {
        self.enter()?;
        let id = self.push(Data::Array(Vec::new()))?;
        self.elements(id, b']')
    }

    fn elements(&mut self, id: u32, close: u8) -> Lexed<u32> {
        let from = self.pending.len();
        loop {
            let index = self.pending.len() - from;
            let result = self.element(close);
            match result {
                Ok(Some(child)) => self.pending.push(child),
                Ok(None) => return Ok(self.close(id, from)),
                Err(mut failure) => {
                    failure.path.push(PathStep::Index(index));
                    return Err(failure);
                }
            }
            if self.after_value(close)? {
                return Ok(self.close(id, from));
            }
        }
    }

    fn element(&mut self, close: u8) -> Lexed<Option<u32>> {
        self.lexer.skip()?;
        match self.lexer.byte() {
            Some(it) if it == close => {
                self.lexer.advance(1);
                Ok(None)
            }
            // A missing element is undefined; the comma is read afterwards.
            Some(b',') => self.push(Data::Value(Scalar::Undefined)).map(Some),
            _ => self.value().map(Some),
        }
    }

    /// Reads what comes after a value; true at the end of the container.
    fn after_value(&mut self, close: u8) -> Lexed<bool> {
        self.lexer.skip()?;
        match self.lexer.byte() {
            Some(b',') => {
                self.lexer.advance(1);
                Ok(false)
            }
            Some(it) if it == close => {
                self.lexer.advance(1);
                Ok(true)
            }
            _ => self
                .lexer
                .unexpected("After parsing a value an unexpected character was encountered"),
        }
    }

    fn object(&mut self) -> Lexed<u32> {
        self.enter()?;
        let id = self.push(Data::Object(Members::default()))?;
        let from = self.pending.len();
        let mut seen = None;
        loop {
            self.lexer.skip()?;
            let name = match self.lexer.byte() {
                Some(b'}') => {
                    self.lexer.advance(1);
                    return Ok(self.close(id, from));
                }
                Some(b'"' | b'\'') => self.lexer.name()?,
                _ => self.lexer.bare_name()?,
            };
            if let Err(mut failure) = self.member(&name, from, &mut seen) {
                failure.path.push(PathStep::Name(name));
                return Err(failure);
            }
            if self.after_value(b'}')? {
                return Ok(self.close(id, from));
            }
        }
    }

    fn member(&mut self, name: &Arc<str>, from: usize, seen: &mut Seen) -> Lexed<()> {
        self.lexer.skip_space();
        if self.lexer.byte() != Some(b':') {
            return self
                .lexer
                .unexpected("Invalid character after parsing property name. Expected ':' but got");
        }
        self.lexer.advance(1);
        self.lexer.skip()?;
        let value = match self.lexer.byte() {
            Some(b',') => self.push(Data::Value(Scalar::Undefined))?,
            _ => self.value()?,
        };
        let property = self.push(Data::Property(Arc::clone(name), value))?;
        self.arena.adopt(property, &[value]);
        let earlier = self.earlier(name, from, seen);
        match earlier.and_then(|at| self.pending.get_mut(from + at)) {
            Some(slot) => *slot = property,
            None => self.pending.push(property),
        }
        Ok(())
    }

    /// The place of an earlier member of that name. Few members are looked through one by one.
    fn earlier(&self, name: &Arc<str>, from: usize, seen: &mut Seen) -> Option<usize> {
        let siblings = self.pending.get(from..).unwrap_or(&[]);
        let name_of = |it: &u32| self.arena.property(*it).map(|(name, _)| name);
        if siblings.len() < FEW {
            return siblings.iter().position(|it| name_of(it) == Some(name));
        }
        let places = seen.get_or_insert_with(|| {
            let place = |(at, it)| Some((Arc::clone(name_of(it)?), at));
            siblings.iter().enumerate().filter_map(place).collect()
        });
        let earlier = places.get(name).copied();
        if earlier.is_none() {
            places.insert(Arc::clone(name), siblings.len());
        }
        earlier
    }
}

/// Places of members by name, once there are many.
type Seen = Option<HashMap<Arc<str>, usize>>;

/// Members that are looked through one by one when a name may be repeated.
const FEW: usize = 24;
const NOT_A_NUMBER: &str = "Error parsing NaN value.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ParseOptions, Root, parse};
    use crate::json::Formatting;

    /// Compact JSON of the text, or the type and message of the exception.
    fn read(text: &str, root: Root) -> String {
        match parse(text, root, &ParseOptions::default()) {
            Ok(token) => token.to_json(Formatting::None),
            Err(fault) => format!("{}: {fault}", fault.type_name.replace("Newtonsoft.Json.", "")),
        }
    }

    #[test]
    fn lenient_json_is_read() {
        let cases = [
            (r#"{"a":1,"a":2,"b":0}"#, r#"{"a":2,"b":0}"#),
            ("{'a':'single'}", r#"{"a":"single"}"#),
            ("{a:1,$b_2:2}", r#"{"a":1,"$b_2":2}"#),
            (r#"{"a":1,}"#, r#"{"a":1}"#),
            ("// c\n{\"a\":/*c*/1}", r#"{"a":1}"#),
            ("[1,,2,]", "[1,undefined,2]"),
            ("[NaN,-Infinity,Infinity]", r#"["NaN","-Infinity","Infinity"]"#),
            (r#"[1e400,1.10,1E+2,-0.0]"#, r#"["Infinity",1.1,100.0,0.0]"#),
            ("[12345678901234567890]", "[12345678901234567890]"),
            ("{\"a\":new Date(1, 'x')}", r#"{"a":new Date(1,"x")}"#),
            ("{\"a\":,\"b\":undefined}", r#"{"a":undefined,"b":undefined}"#),
            ("\u{feff} 5 ", "5"),
            (r#"["2024-02-03T04:05:06.120+02:00"]"#, r#"["2024-02-03T02:05:06.12+00:00"]"#),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text, Root::Any), expected, "{text}");
        }
    }

    #[test]
    fn what_newtonsoft_refuses_is_refused() {
        let cases = [
            ("", Root::Object, "JsonReaderException: Error reading JObject from JsonReader."),
            (
                "[1]",
                Root::Object,
                "JsonReaderException: Error reading JObject from JsonReader. Current JsonReader item is not an object: StartArray.",
            ),
            (
                "null",
                Root::Object,
                "JsonReaderException: Error reading JObject from JsonReader. Current JsonReader item is not an object: Null.",
            ),
            (
                "{}",
                Root::Array,
                "JsonReaderException: Error reading JArray from JsonReader. Current JsonReader item is not an array: StartObject.",
            ),
            (
                r#"{"a":tru}"#,
                Root::Any,
                "JsonReaderException: Error parsing boolean value. Path 'a',",
            ),
            (
                "x",
                Root::Any,
                "JsonReaderException: Unexpected character encountered while parsing value: x. Path ''",
            ),
            (
                "{} x",
                Root::Any,
                "JsonReaderException: Additional text encountered after finished reading JSON content: x.",
            ),
            (
                r#"{"a":1 "b":2}"#,
                Root::Any,
                "JsonReaderException: After parsing a value an unexpected character was encountered: \".",
            ),
            (
                r#"{"a":{"b c":[0,09]}}"#,
                Root::Any,
                "JsonReaderException: Input string '09' is not a valid number. Path 'a['b c'][1]', line 1, position 17.",
            ),
            (
                "{",
                Root::Deserialize,
                "JsonSerializationException: Unexpected end when reading JSON.",
            ),
            ("{", Root::Object, "JsonReaderException: Unexpected end when reading JSON."),
        ];
        for (text, root, expected) in cases {
            let found = read(text, root);
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }

    #[test]
    fn depth_and_number_of_tokens_are_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(read(&nested(64), Root::Any), nested(64));
        assert!(read(&nested(65), Root::Any).contains("MaxDepth of 64"));
        assert!(read(&nested(100_000), Root::Any).contains("MaxDepth of 64"));

        let options = ParseOptions { max_tokens: 10, ..ParseOptions::default() };
        assert!(parse("[1,2,3]", Root::Any, &options).is_ok());
        assert!(parse("[1,2,3,4,5,6,7,8,9,10]", Root::Any, &options).unwrap_err().limit);
    }

    #[test]
    fn dates_stay_text_if_asked_to() {
        let options = ParseOptions { dates: false, ..ParseOptions::default() };
        let text = r#"{"d":"2024-02-03T04:05:06.000Z"}"#;
        assert_eq!(parse(text, Root::Any, &options).unwrap().to_json(Formatting::None), text);
    }

    #[test]
    fn repeated_names_among_many_members_replace_in_place() {
        let members: Vec<String> = (0..100).map(|at| format!("\"m{at}\":{at}")).collect();
        let text = format!("{{{},\"m5\":\"new\"}}", members.join(","));
        let token = parse(&text, Root::Any, &ParseOptions::default()).unwrap();

        assert_eq!(token.count(), 100);
        assert_eq!(&*token.at(5).unwrap().property_value().unwrap().to_text(), "new");
        assert_eq!(&*token.get("m99").unwrap().to_text(), "99");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}\"',:a-z0-9.\\\\/*+ -]{0,60}") {
            let _ = read(&text, Root::Any);
        }

        #[test]
        fn what_is_printed_is_read_back(text in r#"(\[|\{"a":|1,|"x"|\]|\}|null|2\.5){0,20}"#) {
            if let Ok(token) = parse(&text, Root::Any, &ParseOptions::default()) {
                for formatting in [Formatting::None, Formatting::Indented] {
                    let printed = token.to_json(formatting);
                    let again = parse(&printed, Root::Any, &ParseOptions::default()).unwrap();
                    prop_assert_eq!(again.to_json(formatting), printed);
                }
            }
        }
    }
}
