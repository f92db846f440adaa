//! `System.Uri`: <https://learn.microsoft.com/dotnet/api/system.uri>

use std::sync::Arc;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Constant, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::text::uri::{Parts, Uri, is_scheme, is_well_formed};
use dotnet::text::uri_parts::Format;
use dotnet::text::web;
use dotnet::{Runtime, Str};

use super::enums::{self, URI_HOST_NAME_TYPE, URI_KIND, URI_PARTIAL};
use super::string_compare::compared;
use super::{COMPARISON, made, out_of_range, scan};

pub(crate) const TYPE: TypeDef = TypeDef::class(names::URI, MEMBERS);

const OWN: Type = Type::named(names::URI);
const STRING: Type = Type::String;
const KIND: Type = Type::named(URI_KIND);
const COMPONENTS: Type = Type::named(enums::URI_COMPONENTS);
const FORMAT: Type = Type::named(enums::URI_FORMAT);
const PAIR: &[Type] = &[OWN, OWN];
const RESULT: Type = Type::Out(&OWN);

/// A URI as an object.
#[derive(Debug)]
pub(crate) struct Address(pub(crate) Uri);

impl Object for Address {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.to_text().into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        if let Value::String(text) = other {
            // A text is read first.
            return Some(Uri::any(text.as_str()).is_ok_and(|it| key(&it) == key(&self.0)));
        }
        Some(other.as_object::<Self>().is_some_and(|it| key(&it.0) == key(&self.0)))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(key(&self.0)).hash_code())
    }
}

/// What makes two URIs equal: all but user and fragment.
fn key(uri: &Uri) -> String {
    match &uri.parts {
        Some(parts) => format!("{}{}{}", parts.left(false), parts.path, parts.query),
        None => uri.original.clone(),
    }
}

const MEMBERS: &[Member] = &[
    Member::constant("SchemeDelimiter", STRING, Constant::Text("://")),
    Member::constant("UriSchemeHttp", STRING, Constant::Text("http")),
    Member::constant("UriSchemeHttps", STRING, Constant::Text("https")),
    Member::constant("UriSchemeFtp", STRING, Constant::Text("ftp")),
    Member::constant("UriSchemeFile", STRING, Constant::Text("file")),
    Member::constant("UriSchemeGopher", STRING, Constant::Text("gopher")),
    Member::constant("UriSchemeNews", STRING, Constant::Text("news")),
    Member::constant("UriSchemeNntp", STRING, Constant::Text("nntp")),
    Member::constant("UriSchemeNetTcp", STRING, Constant::Text("net.tcp")),
    Member::constant("UriSchemeNetPipe", STRING, Constant::Text("net.pipe")),
    Member::constant("UriSchemeMailto", STRING, Constant::Text("mailto")),
    Member::constructor(&[STRING], OWN, |args, cx| {
        let (text,): (Str,) = args.get()?;
        cx.steps(text.len() as u64 / 16)?;
        Ok(address(Uri::absolute(text.as_str())?))
    })
    .params(&["uriString"]),
    Member::constructor(&[STRING, KIND], OWN, |args, cx| {
        let (text, kind): (Str, i64) = args.get()?;
        cx.steps(text.len() as u64 / 16)?;
        of_kind(&text, kind).map(address)
    })
    .params(&["uriString", "uriKind"]),
    Member::constructor(&[OWN, STRING], OWN, |args, cx| {
        let (base, text): (Arc<Address>, Option<Str>) = args.get()?;
        let text = text.unwrap_or(Str::EMPTY);
        cx.steps(text.len() as u64 / 16)?;
        Ok(address(base.0.join(text.as_str())?))
    })
    .params(&["baseUri", "relativeUri"]),
    Member::constructor(&[OWN, OWN], OWN, |args, _| {
        let (base, other): (Arc<Address>, Arc<Address>) = args.get()?;
        Ok(address(base.0.join(&other.0.original)?))
    })
    .params(&["baseUri", "relativeUri"]),
    Member::static_method("TryCreate", &[STRING, KIND, RESULT], Type::Bool, |args, _| {
        let (text, kind): (Option<Str>, i64) = (args.arg(0)?, args.arg(1)?);
        let made = text.and_then(|it| of_kind(&it, kind).ok());
        Ok(outcome(args, made))
    })
    .params(&["uriString", "uriKind", "result"]),
    Member::static_method("TryCreate", &[OWN, STRING, RESULT], Type::Bool, |args, _| {
        let (base, text): (Option<Arc<Address>>, Option<Str>) = (args.arg(0)?, args.arg(1)?);
        let made = base.zip(text).and_then(|(base, it)| base.0.join(it.as_str()).ok());
        Ok(outcome(args, made))
    })
    .params(&["baseUri", "relativeUri", "result"]),
    Member::property("AbsoluteUri", STRING, |args, cx| part(args, cx, Parts::to_text)),
    Member::property("AbsolutePath", STRING, |args, cx| part(args, cx, |it| it.path.clone())),
    Member::property("LocalPath", STRING, |args, cx| {
        part(args, cx, |it| {
            let path = web::unescape_data(&it.path);
            // A path of Windows: `/c:/x`.
            let drive = matches!(path.as_bytes(), [b'/', letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
            match path.strip_prefix('/') {
                Some(own) if drive && it.scheme == "file" => own.replace('/', "\\"),
                _ => path,
            }
        })
    }),
    Member::property("PathAndQuery", STRING, |args, cx| {
        part(args, cx, |it| format!("{}{}", it.path, it.query))
    }),
    Member::property("Query", STRING, |args, cx| part(args, cx, |it| it.query.clone())),
    Member::property("Fragment", STRING, |args, cx| part(args, cx, |it| it.fragment.clone())),
    Member::property("Scheme", STRING, |args, cx| part(args, cx, |it| it.scheme.clone())),
    Member::property("Host", STRING, |args, cx| {
        part(args, cx, |it| it.host.clone().unwrap_or_default())
    }),
    Member::property("DnsSafeHost", STRING, |args, cx| {
        part(args, cx, |it| {
            it.host.as_deref().unwrap_or_default().trim_matches(['[', ']']).to_owned()
        })
    }),
    Member::property("IdnHost", STRING, |args, cx| part(args, cx, Parts::idn_host)),
    Member::property("Authority", STRING, |args, cx| part(args, cx, Parts::authority)),
    Member::property("UserInfo", STRING, |args, cx| part(args, cx, |it| it.user_info.clone())),
    Member::property("Port", Type::Int32, |args, _| ask(args, |it| it.port().into())),
    Member::property("IsDefaultPort", Type::Bool, |args, _| {
        ask(args, |it| it.port.is_none().into())
    }),
    Member::property("IsLoopback", Type::Bool, |args, _| ask(args, |it| it.is_loopback().into())),
    Member::property("IsFile", Type::Bool, |args, _| ask(args, |it| (it.scheme == "file").into())),
    Member::property("IsUnc", Type::Bool, |args, _| {
        ask(args, |it| {
            (it.scheme == "file" && it.host.as_deref().is_some_and(|it| !it.is_empty())).into()
        })
    }),
    Member::property("HostNameType", Type::named(URI_HOST_NAME_TYPE), |args, _| {
        ask(args, |it| enums::member(URI_HOST_NAME_TYPE, it.host_type() as i64))
    }),
    Member::property("Segments", Type::STRINGS, |args, cx| {
        let it: Arc<Address> = args.arg(0)?;
        let segments = parts(&it)?.segments();
        cx.allocate(it.0.original.len() * 4)?;
        Ok(Value::strings(segments))
    }),
    Member::property("IsAbsoluteUri", Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(it.0.parts.is_some().into())
    }),
    Member::property("OriginalString", STRING, |args, cx| {
        let (it,): (Arc<Address>,) = args.get()?;
        made(cx, it.0.original.as_str())
    }),
    Member::property("UserEscaped", Type::Bool, |_, _| Ok(false.into())),
    Member::method("GetLeftPart", &[Type::named(URI_PARTIAL)], STRING, |args, cx| {
        let (it, upto): (Arc<Address>, i64) = args.get()?;
        let parts = parts(&it)?;
        let text = match upto {
            0 if parts.host.is_some() => format!("{}://", parts.scheme),
            0 => format!("{}:", parts.scheme),
            1 if parts.host.is_none() => String::new(),
            1 => parts.left(true),
            2 => format!("{}{}", parts.left(true), parts.path),
            3 => format!("{}{}{}", parts.left(true), parts.path, parts.query),
            _ => return Err(Exception::argument("Illegal enum value. (Parameter 'part')")),
        };
        made(cx, text)
    })
    .params(&["part"]),
    Member::method("MakeRelativeUri", &[OWN], OWN, |args, _| {
        let (base, to): (Arc<Address>, Arc<Address>) = args.get()?;
        let (from, target) = (parts(&base)?, parts(&to)?);
        if from.left(true) != target.left(true) {
            return Ok(Value::Object(to.clone()));
        }
        let text = target.relative_to(from);
        Ok(address(Uri { original: text, parts: None }))
    })
    .params(&["uri"]),
    Member::method("MakeRelative", &[OWN], STRING, |args, cx| {
        let (base, to): (Arc<Address>, Arc<Address>) = args.get()?;
        let (from, target) = (parts(&base)?, parts(&to)?);
        if from.left(true) != target.left(true) {
            return made(cx, to.0.to_text());
        }
        let path =
            |it: &Parts| Parts { query: String::new(), fragment: String::new(), ..it.clone() };
        made(cx, path(target).relative_to(&path(from)))
    })
    .params(&["toUri"]),
    Member::method("GetComponents", &[COMPONENTS, FORMAT], STRING, |args, cx| {
        let (it, wanted, format): (Arc<Address>, i64, i64) = args.get()?;
        made(cx, components(&it, wanted, format)?)
    })
    .params(&["components", "format"]),
    Member::static_method(
        "Compare",
        &[OWN, OWN, COMPONENTS, FORMAT, COMPARISON],
        Type::Int32,
        compare,
    )
    .params(&["uri1", "uri2", "partsToCompare", "compareFormat", "comparisonType"]),
    Member::static_method(
        "HexUnescape",
        &[STRING, Type::Out(&Type::Int32)],
        Type::Char,
        |args, _| {
            let (text, at): (Str, i32) = (args.arg(0)?, args.arg(1)?);
            let place = usize::try_from(at).ok().filter(|it| *it < text.len());
            let place = place.ok_or_else(|| Exception::argument_out_of_range("index"))?;
            let digit = |at| {
                let unit = text.unit(at)?;
                char::from_u32(unit.into())?.to_digit(16).and_then(|it| u16::try_from(it).ok())
            };
            let escaped = match (text.unit(place), digit(place + 1), digit(place + 2)) {
                (Some(0x25), Some(high), Some(low)) => Some(high << 4 | low),
                _ => None,
            };
            args.set_out(1, Value::Int(at + if escaped.is_some() { 3 } else { 1 }));
            Ok(Value::Char(escaped.or(text.unit(place)).unwrap_or(0)))
        },
    )
    .params(&["pattern", "index"]),
    Member::static_method("IsHexEncoding", &[STRING, Type::Int32], Type::Bool, |args, _| {
        let (text, at): (Str, i32) = args.get()?;
        let unit = |offset: usize| {
            let at = usize::try_from(at).ok()?.checked_add(offset)?;
            text.unit(at).and_then(|it| u8::try_from(it).ok())
        };
        let hex = |offset| unit(offset).is_some_and(|it| it.is_ascii_hexdigit());
        Ok((unit(0) == Some(b'%') && hex(1) && hex(2)).into())
    })
    .params(&["pattern", "index"]),
    Member::method("IsBaseOf", &[OWN], Type::Bool, |args, _| {
        let (a, b): (Arc<Address>, Arc<Address>) = args.get()?;
        let (Some(a), Some(b)) = (&a.0.parts, &b.0.parts) else { return Ok(false.into()) };
        let folder = a.path.rfind('/').and_then(|at| a.path.get(..=at)).unwrap_or("/");
        let same = a.scheme == b.scheme && a.host == b.host && a.port() == b.port();
        Ok((same && b.path.starts_with(folder)).into())
    })
    .params(&["uri"]),
    Member::method("IsWellFormedOriginalString", &[], Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(is_well_formed(&it.0.original, None).into())
    }),
    Member::static_method("IsWellFormedUriString", &[STRING, KIND], Type::Bool, |args, cx| {
        let (text, kind): (Option<Str>, i64) = args.get()?;
        let Some(text) = text else { return Ok(false.into()) };
        scan(cx, &text)?;
        let absolute = match kind {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        };
        Ok(is_well_formed(text.as_str(), absolute).into())
    })
    .params(&["uriString", "uriKind"]),
    Member::static_method("CheckSchemeName", &[STRING], Type::Bool, |args, _| {
        let (name,): (Option<Str>,) = args.get()?;
        Ok(name.is_some_and(|it| is_scheme(it.as_str())).into())
    })
    .params(&["schemeName"]),
    Member::static_method(
        "CheckHostName",
        &[STRING],
        Type::named(URI_HOST_NAME_TYPE),
        |args, _| {
            let (name,): (Option<Str>,) = args.get()?;
            let uri = name.and_then(|it| {
                let bare = it.as_str().contains(':') && !it.as_str().starts_with('[');
                let host = if bare { format!("[{it}]") } else { it.to_string() };
                Uri::absolute(&format!("http://{host}/")).ok()
            });
            let kind = uri.and_then(|it| it.parts).map_or(0, |it| it.host_type() as i64);
            Ok(enums::member(URI_HOST_NAME_TYPE, kind))
        },
    )
    .params(&["name"]),
    Member::static_method("EscapeDataString", &[STRING], STRING, |args, cx| {
        mapped(args, cx, web::escape_data)
    })
    .params(&["stringToEscape"]),
    Member::static_method("EscapeUriString", &[STRING], STRING, |args, cx| {
        mapped(args, cx, web::escape_uri)
    })
    .params(&["stringToEscape"]),
    Member::static_method("UnescapeDataString", &[STRING], STRING, |args, cx| {
        mapped(args, cx, web::unescape_data)
    })
    .params(&["stringToUnescape"]),
    Member::static_method("HexEscape", &[Type::Char], STRING, |args, cx| {
        let (unit,): (u16,) = args.get()?;
        if unit > 0xff {
            return Err(out_of_range(
                "Specified argument was out of the range of valid values.",
                "character",
            ));
        }
        made(cx, format!("%{unit:02X}"))
    })
    .params(&["character"]),
    Member::static_method("IsHexDigit", &[Type::Char], Type::Bool, |args, _| {
        let (unit,): (u16,) = args.get()?;
        Ok(u8::try_from(unit).is_ok_and(|it| it.is_ascii_hexdigit()).into())
    })
    .params(&["character"]),
    Member::static_method("FromHex", &[Type::Char], Type::Int32, |args, _| {
        let (unit,): (u16,) = args.get()?;
        let digit = char::from_u32(unit.into()).and_then(|it| it.to_digit(16));
        let wrong = "The argument must be a hexadecimal digit. (Parameter 'digit')";
        digit.map(|it| Value::Int(it as i32)).ok_or_else(|| Exception::argument(wrong))
    })
    .params(&["digit"]),
    Member::operator("==", PAIR, Type::Bool, |args, _| {
        Ok(args.value(0).equals(args.value(1)).into())
    }),
    Member::operator("!=", PAIR, Type::Bool, |args, _| {
        Ok((!args.value(0).equals(args.value(1))).into())
    }),
];

fn address(uri: Uri) -> Value {
    Value::object(Address(uri))
}

fn of_kind(text: &Str, kind: i64) -> Result<Uri, Exception> {
    match kind {
        0 => Ok(Uri::any(text.as_str())?),
        1 => Ok(Uri::absolute(text.as_str())?),
        2 => Uri::relative(text.as_str()).ok_or_else(|| {
            let text = "A relative URI cannot be created because the 'uriString' parameter \
                        represents an absolute URI.";
            Exception::new("System.UriFormatException", text)
        }),
        _ => Err(Exception::argument("The value is not a UriKind. (Parameter 'uriKind')")),
    }
}

fn outcome(args: &mut Args<'_>, made: Option<Uri>) -> Value {
    let found = made.is_some();
    args.set_out(2, made.map_or(Value::Null, address));
    found.into()
}

fn parts(it: &Address) -> Result<&Parts, Exception> {
    let wrong = "This operation is not supported for a relative URI.";
    it.0.parts.as_ref().ok_or_else(|| Exception::invalid_operation(wrong))
}

/// `GetComponents`.
fn components(it: &Address, wanted: i64, format: i64) -> Result<String, Exception> {
    #[expect(clippy::cast_possible_truncation, reason = "an enum's bits")]
    let wanted = (wanted as i32).cast_unsigned();
    let whole = 1 << 31;
    if wanted & whole != 0 && wanted != whole {
        return Err(Exception::argument_out_of_range("components"));
    }
    let format = Format::of(format).ok_or_else(|| Exception::argument_out_of_range("format"))?;
    let wrong = "This operation is not supported for a relative URI.";
    it.0.components(wanted, format).ok_or_else(|| Exception::invalid_operation(wrong))
}

/// `Compare`: null comes first, then relative addresses.
fn compare(args: &mut Args<'_>, cx: &mut EvalCx<'_>) -> Result<Value, Exception> {
    let (a, b): (Option<Arc<Address>>, Option<Arc<Address>>) = (args.arg(0)?, args.arg(1)?);
    let (wanted, format, kind): (i64, i64, i64) = (args.arg(2)?, args.arg(3)?, args.arg(4)?);
    let by = super::comparison(kind)?;
    let absolute = |it: &Option<Arc<Address>>| it.as_ref().map(|it| it.0.parts.is_some());
    let (a, b) = match (absolute(&a), absolute(&b)) {
        (Some(true), Some(true)) => {
            let text = |it: Option<Arc<Address>>| {
                it.map(|it| components(&it, wanted, format).map(Str::from)).transpose()
            };
            (text(a)?, text(b)?)
        }
        (Some(a), Some(b)) if a != b => return Ok(Value::Int(if a { 1 } else { -1 })),
        _ => {
            let text = |it: Option<Arc<Address>>| it.map(|it| Str::from(it.0.original.as_str()));
            (text(a), text(b))
        }
    };
    compared(cx, a, b, by)
}

fn ask(args: &mut Args<'_>, f: fn(&Parts) -> Value) -> Result<Value, Exception> {
    let it: Arc<Address> = args.arg(0)?;
    parts(&it).map(f)
}

fn part(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    f: fn(&Parts) -> String,
) -> Result<Value, Exception> {
    let it: Arc<Address> = args.arg(0)?;
    made(cx, f(parts(&it)?))
}

/// A text made of another by escaping or unescaping it.
pub(super) fn mapped(
    args: &mut Args<'_>,
    cx: &mut EvalCx<'_>,
    f: fn(&str) -> String,
) -> Result<Value, Exception> {
    let text: Str = args.arg(0)?;
    cx.steps(text.len() as u64 / 16)?;
    made(cx, f(text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_equal_without_their_fragment() {
        let uri = |text| address(Uri::absolute(text).unwrap());
        assert!(uri("https://u@E.com/a#x").equals(&uri("https://e.com:443/a")));
        assert!(!uri("https://e.com/a").equals(&uri("https://e.com/A")));
    }

    #[test]
    fn kinds_are_checked() {
        assert!(of_kind(&"/a".into(), 2).is_ok() && of_kind(&"/a".into(), 1).is_err());
        assert!(of_kind(&"https://e.com".into(), 2).is_err());
    }
}
