//! `System.Exception` and the types derived from it:
//! <https://learn.microsoft.com/dotnet/api/system.exception>
//!
//! They differ in little more than name and base, so they share one table.

use std::sync::PoisonError;

use clr::cx::EvalCx;
use clr::exception::Exception;
use clr::rows::{Args, Member, TypeDef};
use clr::types::{Type, names};
use clr::value::{Object, Value};
use dotnet::Str;

use super::exception_codes::code;

const STRING: Type = Type::String;
const INNER: Type = Type::named(names::EXCEPTION);

/// An exception as an object, inside of the expression.
#[derive(Clone, Debug)]
pub struct ExceptionObject(pub Exception);

impl Object for ExceptionObject {
    fn net_type(&self) -> Type {
        Type::named(self.0.type_name)
    }

    fn to_text(&self, runtime: dotnet::Runtime) -> Str {
        full_text(&self.0, runtime).into()
    }
}

const MEMBERS: &[Member] = &[
    Member::property("Message", STRING, |args, cx| Ok(message(args, cx.runtime()))),
    Member::property("InnerException", INNER, |args, _| Ok(inner(args))),
    Member::method("GetBaseException", &[], INNER, |args, _| {
        let mut deepest = exception(args);
        while let Some(inner) = deepest.inner.clone() {
            deepest = inner;
        }
        Ok(Value::object(ExceptionObject(deepest)))
    }),
    Member::property("StackTrace", STRING, |args, _| Ok(thrown_at(args)))
        .doc("Where the expression threw it; null before that."),
    Member::property("Source", STRING, |args, _| {
        let thrown = exception(args).span.is_some();
        Ok(is_set(args, "Source").unwrap_or(if thrown { "expression".into() } else { Value::Null }))
    })
    .set(|args, _| set(args, "Source")),
    Member::property(
        "HelpLink",
        STRING,
        |args, _| Ok(is_set(args, "HelpLink").unwrap_or_default()),
    )
    .set(|args, _| set(args, "HelpLink")),
    Member::property("HResult", Type::Int32, |args, cx| {
        let own = is_set(args, "HResult");
        Ok(own.unwrap_or_else(|| code(exception(args).type_name, cx.runtime()).into()))
    })
    .set(|args, _| set(args, "HResult")),
    Member::constructor(&[], INNER, |args, _| construct(args, "")),
    Member::constructor(&[STRING], INNER, |args, _| construct(args, "")).params(&["message"]),
    Member::constructor(&[STRING, INNER], INNER, |args, _| construct(args, ""))
        .params(&["message", "innerException"]),
];

/// What the expression gave a member.
fn is_set(args: &Args<'_>, name: &str) -> Option<Value> {
    let own = exception(args);
    let all = own.set.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().find(|(own, _)| *own == name).map(|(_, it)| it.clone())
}

fn set(args: &Args<'_>, name: &'static str) -> Result<Value, Exception> {
    let own = exception(args);
    let mut all = own.set.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(own, _)| *own != name);
    all.push((name, args.value(1).clone()));
    Ok(Value::Null)
}

/// .NET lists methods here; an expression has none, so the place in its text stands there.
fn thrown_at(args: &Args<'_>) -> Value {
    let at = exception(args).span.clone();
    at.map_or(Value::Null, |it| format!("   at expression:{}-{}", it.start, it.end).into())
}

/// Type and message, and those of the inner exceptions: on one line with .NET Framework.
fn full_text(it: &Exception, runtime: dotnet::Runtime) -> String {
    let mut text = format!("{}: {}", it.type_name, it.message);
    if let Some(inner) = &it.inner {
        text.push_str(if runtime == dotnet::Runtime::Framework { " ---> " } else { "\n ---> " });
        text.push_str(&full_text(inner, runtime));
        text.push_str("\n   --- End of inner exception stack trace ---");
    }
    text
}

fn exception(args: &Args<'_>) -> Exception {
    match args.value(0).as_object::<ExceptionObject>() {
        Some(it) => it.0.clone(),
        None => Exception::new(names::EXCEPTION, ""),
    }
}

fn inner(args: &Args<'_>) -> Value {
    exception(args).inner.clone().map_or(Value::Null, |it| Value::object(ExceptionObject(it)))
}

fn member(args: &Args<'_>, name: &str) -> Value {
    let all = exception(args);
    all.data.iter().find(|(own, _)| *own == name).map_or(Value::Null, |(_, it)| it.clone())
}

/// The message; .NET Framework names the parameter on a line of its own.
fn message(args: &Args<'_>, runtime: dotnet::Runtime) -> Value {
    let all = exception(args);
    let named = all.message.split_once(" (Parameter '");
    match (runtime, named.and_then(|(own, rest)| Some((own, rest.split_once("')")?)))) {
        (dotnet::Runtime::Framework, Some((own, (parameter, rest)))) => {
            format!("{own}\nParameter name: {parameter}{rest}").into()
        }
        _ => all.message.as_str().into(),
    }
}

/// The parameter that an exception names, if only in its message.
fn parameter(args: &Args<'_>) -> Value {
    let known = member(args, "ParamName");
    if !known.is_null() {
        return known;
    }
    let all = exception(args);
    let named = all.message.rsplit_once("(Parameter '").and_then(|(_, it)| it.strip_suffix("')"));
    named.map_or(Value::Null, Value::from)
}

/// `new XException()`, `(message)`, `(message, inner)`.
fn construct(args: &mut Args<'_>, default: &str) -> Result<Value, Exception> {
    let Type::Named(name, _) = args.returns() else { return Ok(Value::Null) };
    let message = match args.value(0) {
        Value::String(it) => it.to_string(),
        _ if default.is_empty() => format!("Exception of type '{name}' was thrown."),
        _ => default.to_owned(),
    };
    let mut made = Exception::new(name, message);
    if let Some(cause) = args.value(1).as_object::<ExceptionObject>() {
        made = made.caused_by(cause.0.clone());
    }
    Ok(Value::object(ExceptionObject(made)))
}

/// `ArgumentException(message, paramName)`, `ArgumentNullException(paramName, message)` and so on.
fn construct_argument(
    args: &mut Args<'_>,
    message: Option<Str>,
    parameter: Option<Str>,
    default: &str,
) -> Result<Value, Exception> {
    let Type::Named(name, _) = args.returns() else { return Ok(Value::Null) };
    let text = message.map_or_else(|| default.to_owned(), |it| it.to_string());
    let text = match &parameter {
        Some(it) if !it.is_empty() => format!("{text} (Parameter '{it}')"),
        _ => text,
    };
    let made = Exception::new(name, text).with("ParamName", parameter);
    Ok(Value::object(ExceptionObject(made)))
}

/// `ArgumentOutOfRangeException(paramName, actualValue, message)`.
fn construct_out_of_range(args: &mut Args<'_>, cx: &EvalCx<'_>) -> Result<Value, Exception> {
    let actual = args.value(1).clone();
    let message: Option<Str> = match args.value(2) {
        Value::String(it) => Some(it.clone()),
        _ => None,
    };
    let parameter: Option<Str> = match args.value(0) {
        Value::String(it) => Some(it.clone()),
        _ => None,
    };
    let made = construct_argument(args, message, parameter, "")?;
    let Some(own) = made.as_object::<ExceptionObject>() else { return Ok(made) };
    let mut own = own.0.clone();
    if !actual.is_null() {
        let text = actual.to_str(cx.runtime());
        own.message = format!("{}\nActual value was {text}.", own.message);
    }
    Ok(Value::object(ExceptionObject(own.with("ActualValue", actual))))
}

macro_rules! constructors {
    ($name:expr, $default:expr) => {
        [
            Member::constructor(&[], Type::named($name), |args, _| construct(args, $default)),
            Member::constructor(&[STRING], Type::named($name), |args, _| construct(args, $default))
                .params(&["message"]),
            Member::constructor(&[STRING, INNER], Type::named($name), |args, _| {
                construct(args, $default)
            })
            .params(&["message", "innerException"]),
        ]
    };
}

macro_rules! exceptions {
    ($($name:literal : $base:literal $(= $default:literal)? ;)*) => { &[
        BASE,
        ARGUMENT,
        ARGUMENT_NULL,
        ARGUMENT_OUT_OF_RANGE,
        $(TypeDef::class($name, const { &constructors!($name, concat!("" $(, $default)?)) })
            .bases(&[Type::named($base)]),)*
    ] };
}

const BASE: TypeDef = TypeDef::class(names::EXCEPTION, MEMBERS);

const ARGUMENT_NAME: &str = "System.ArgumentException";
const OUT_OF_THE_EXPECTED: &str = "Value does not fall within the expected range.";

const ARGUMENT: TypeDef = TypeDef::class(
    ARGUMENT_NAME,
    &[
        Member::constructor(&[], Type::named(ARGUMENT_NAME), |args, _| {
            construct(args, OUT_OF_THE_EXPECTED)
        }),
        Member::constructor(&[STRING], Type::named(ARGUMENT_NAME), |args, cx| {
            // A message that is null is that of any exception to .NET Framework.
            let framework = cx.runtime() == dotnet::Runtime::Framework;
            construct(args, if framework { "" } else { OUT_OF_THE_EXPECTED })
        })
        .params(&["message"]),
        Member::constructor(&[STRING, INNER], Type::named(ARGUMENT_NAME), |args, _| {
            construct(args, OUT_OF_THE_EXPECTED)
        })
        .params(&["message", "innerException"]),
        Member::constructor(&[STRING, STRING], Type::named(ARGUMENT_NAME), |args, _| {
            let (message, parameter) = args.get()?;
            construct_argument(args, message, parameter, OUT_OF_THE_EXPECTED)
        })
        .params(&["message", "paramName"]),
        Member::property("ParamName", STRING, |args, _| Ok(parameter(args))),
    ],
)
.bases(&[Type::named("System.SystemException")]);

macro_rules! argument_type {
    ($name:literal, $default:literal $(, $more:expr)* $(,)?) => {
        TypeDef::class(
            $name,
            &[
                Member::constructor(&[], Type::named($name), |args, _| construct(args, $default)),
                Member::constructor(&[STRING], Type::named($name), |args, _| {
                    let (parameter,) = args.get()?;
                    construct_argument(args, None, parameter, $default)
                })
                .params(&["paramName"]),
                Member::constructor(&[STRING, STRING], Type::named($name), |args, _| {
                    let (parameter, message) = args.get()?;
                    construct_argument(args, message, parameter, $default)
                })
                .params(&["paramName", "message"]),
                Member::constructor(&[STRING, INNER], Type::named($name), |args, _| {
                    construct(args, $default)
                })
                .params(&["message", "innerException"]),
                Member::property("ActualValue", Type::Object, |args, _| {
                    Ok(member(args, "ActualValue"))
                }),
                $($more,)*
            ],
        )
        .bases(&[Type::named(ARGUMENT_NAME)])
    };
}

const ARGUMENT_NULL: TypeDef =
    argument_type!("System.ArgumentNullException", "Value cannot be null.");

const ARGUMENT_OUT_OF_RANGE: TypeDef = argument_type!(
    "System.ArgumentOutOfRangeException",
    "Specified argument was out of the range of valid values.",
    Member::constructor(
        &[STRING, Type::Object, STRING],
        Type::named("System.ArgumentOutOfRangeException"),
        |args, cx| construct_out_of_range(args, cx)
    )
    .params(&["paramName", "actualValue", "message"]),
);

/// What an operation on `dynamic` throws that does not exist: not on the list, as `dynamic` is not.
pub(crate) const BINDER: TypeDef = TypeDef::class(
    "Microsoft.CSharp.RuntimeBinder.RuntimeBinderException",
    &[Member::constructor(
        &[STRING],
        Type::named("Microsoft.CSharp.RuntimeBinder.RuntimeBinderException"),
        |args, _| construct(args, ""),
    )
    .params(&["message"])],
)
.bases(&[INNER])
.unlisted();

pub(crate) const TYPES: &[TypeDef] = exceptions! {
    "System.SystemException": "System.Exception" = "System error.";
    "System.ApplicationException": "System.Exception" = "Error in the application.";
    "System.FormatException": "System.SystemException"
        = "One of the identified items was in an invalid format.";
    "System.ArithmeticException": "System.SystemException"
        = "Overflow or underflow in the arithmetic operation.";
    "System.OverflowException": "System.ArithmeticException"
        = "Arithmetic operation resulted in an overflow.";
    "System.DivideByZeroException": "System.ArithmeticException"
        = "Attempted to divide by zero.";
    "System.InvalidCastException": "System.SystemException" = "Specified cast is not valid.";
    "System.InvalidOperationException": "System.SystemException"
        = "Operation is not valid due to the current state of the object.";
    "System.ObjectDisposedException": "System.InvalidOperationException"
        = "Cannot access a disposed object.";
    "System.NotSupportedException": "System.SystemException"
        = "Specified method is not supported.";
    "System.PlatformNotSupportedException": "System.NotSupportedException"
        = "Operation is not supported on this platform.";
    "System.NotImplementedException": "System.SystemException"
        = "The method or operation is not implemented.";
    "System.NullReferenceException": "System.SystemException"
        = "Object reference not set to an instance of an object.";
    "System.IndexOutOfRangeException": "System.SystemException"
        = "Index was outside the bounds of the array.";
    "System.ArrayTypeMismatchException": "System.SystemException"
        = "Attempted to access an element as a type incompatible with the array.";
    "System.RankException": "System.SystemException"
        = "Attempted to operate on an array with the incorrect number of dimensions.";
    "System.OutOfMemoryException": "System.SystemException"
        = "Insufficient memory to continue the execution of the program.";
    "System.TimeoutException": "System.SystemException" = "The operation has timed out.";
    "System.UnauthorizedAccessException": "System.SystemException"
        = "Attempted to perform an unauthorized operation.";
    "System.OperationCanceledException": "System.SystemException"
        = "The operation was canceled.";
    "System.AggregateException": "System.Exception" = "One or more errors occurred.";
    "System.UriFormatException": "System.FormatException"
        = "Invalid URI: The format of the URI could not be determined.";
    "System.TimeZoneNotFoundException": "System.Exception";
    "System.InvalidTimeZoneException": "System.Exception";
    "System.Collections.Generic.KeyNotFoundException": "System.SystemException"
        = "The given key was not present in the dictionary.";
    "System.IO.IOException": "System.SystemException" = "I/O error occurred.";
    "System.IO.InvalidDataException": "System.SystemException"
        = "Found invalid data while decoding.";
    "System.Text.DecoderFallbackException": "System.ArgumentException";
    "System.Text.EncoderFallbackException": "System.ArgumentException";
    "System.Text.RegularExpressions.RegexMatchTimeoutException": "System.TimeoutException";
    "System.Net.Sockets.SocketException": "System.SystemException";
    "System.Security.Cryptography.CryptographicException": "System.SystemException"
        = "Error occurred during a cryptographic operation.";
    "System.Xml.XmlException": "System.SystemException" = "An XML error has occurred.";
    "Newtonsoft.Json.JsonException": "System.Exception";
    "Newtonsoft.Json.JsonReaderException": "Newtonsoft.Json.JsonException";
    "Newtonsoft.Json.JsonWriterException": "Newtonsoft.Json.JsonException";
    "Newtonsoft.Json.JsonSerializationException": "Newtonsoft.Json.JsonException";
};

#[cfg(test)]
mod tests {
    use clr::rows::is_reference_convertible;

    use super::*;

    #[test]
    fn exceptions_derive_as_in_dotnet() {
        clr::rows::register(crate::types);
        let cases = [
            ("System.ArgumentNullException", "System.ArgumentException", true),
            ("System.OverflowException", "System.ArithmeticException", true),
            ("Newtonsoft.Json.JsonReaderException", "System.Exception", true),
            ("System.FormatException", "System.ArgumentException", false),
        ];
        for (derived, base, expected) in cases {
            let convertible = is_reference_convertible(Type::named(derived), Type::named(base));
            assert_eq!(convertible, expected, "{derived} : {base}");
        }
    }
}
