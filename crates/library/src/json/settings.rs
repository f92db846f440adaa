//! `JsonLoadSettings`, `JsonMergeSettings` and `JsonSerializerSettings`: not on the allow-list.
//!
//! <https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonSerializerSettings.htm>

use std::sync::atomic::{AtomicI64, Ordering};

use clr::rows::{Member, TypeDef, integer_of};
use clr::types::Type;
use clr::value::{Object, Value};
use tree::json::{ArrayMerge, MergeSettings};

use super::FORMATTING;

const LOAD_NAME: &str = "Newtonsoft.Json.Linq.JsonLoadSettings";
const COMMENTS: Type = Type::named("Newtonsoft.Json.Linq.CommentHandling");
const LINES: Type = Type::named("Newtonsoft.Json.Linq.LineInfoHandling");
const MERGE_NAME: &str = "Newtonsoft.Json.Linq.JsonMergeSettings";
const SERIALIZER_NAME: &str = "Newtonsoft.Json.JsonSerializerSettings";
const ARRAYS: Type = Type::named("Newtonsoft.Json.Linq.MergeArrayHandling");
const NULLS: Type = Type::named("Newtonsoft.Json.Linq.MergeNullValueHandling");
const NULL_VALUES: Type = Type::named("Newtonsoft.Json.NullValueHandling");
const DATES: Type = Type::named("Newtonsoft.Json.DateParseHandling");

/// `JsonLoadSettings`: what it can say is what the parser does anyway.
pub(super) const LOAD_SETTINGS: Type = Type::named(LOAD_NAME);
/// `JsonMergeSettings`.
pub(super) const MERGE_SETTINGS: Type = Type::named(MERGE_NAME);
/// `JsonSerializerSettings`.
pub(super) const SERIALIZER_SETTINGS: Type = Type::named(SERIALIZER_NAME);

/// Settings: enums by place, as they are set.
#[derive(Debug)]
pub(super) struct Settings {
    ty: Type,
    values: [AtomicI64; 3],
}

impl Object for Settings {
    fn net_type(&self) -> Type {
        self.ty
    }
}

impl Settings {
    fn get(&self, at: usize) -> i64 {
        self.values.get(at).map_or(0, |it| it.load(Ordering::Relaxed))
    }
}

macro_rules! setting {
    ($name:literal, $ty:expr, $at:literal) => {
        Member::property($name, $ty, |args, _| {
            let settings = args.value(0).as_object::<Settings>();
            Ok(integer_of($ty, settings.map_or(0, |it| it.get($at))))
        })
        .set(|args, _| {
            if let (Some(it), Value::Enum(_, value)) =
                (args.value(0).as_object::<Settings>(), args.value(1))
                && let Some(slot) = it.values.get($at)
            {
                slot.store(*value, Ordering::Relaxed);
            }
            Ok(Value::Null)
        })
    };
}

pub(crate) static TYPES: &[TypeDef] = &[
    TypeDef::class(
        LOAD_NAME,
        &[
            // Lines are noted by default.
            Member::constructor(&[], LOAD_SETTINGS, |_, _| Ok(settings(LOAD_SETTINGS, 1))),
            setting!("CommentHandling", COMMENTS, 0),
            setting!("LineInfoHandling", LINES, 1),
        ],
    )
    .unlisted(),
    // Comments are skipped; a token for them is not made.
    TypeDef::enumeration("Newtonsoft.Json.Linq.CommentHandling", &[("Ignore", 0)]).unlisted(),
    TypeDef::enumeration("Newtonsoft.Json.Linq.LineInfoHandling", &[("Ignore", 0), ("Load", 1)])
        .unlisted(),
    TypeDef::class(
        MERGE_NAME,
        &[
            Member::constructor(&[], MERGE_SETTINGS, |_, _| Ok(settings(MERGE_SETTINGS, 0))),
            setting!("MergeArrayHandling", ARRAYS, 0),
            setting!("MergeNullValueHandling", NULLS, 1),
        ],
    )
    .unlisted(),
    TypeDef::class(
        SERIALIZER_NAME,
        &[
            // Dates are parsed by default.
            Member::constructor(&[], SERIALIZER_SETTINGS, |_, _| {
                Ok(settings(SERIALIZER_SETTINGS, 1))
            }),
            setting!("NullValueHandling", NULL_VALUES, 0),
            setting!("DateParseHandling", DATES, 1),
            setting!("Formatting", FORMATTING, 2),
        ],
    )
    .unlisted(),
];

fn settings(ty: Type, second: i64) -> Value {
    Value::object(Settings { ty, values: [0.into(), second.into(), 0.into()] })
}

/// The engine's form of `JsonMergeSettings`; null is the default.
pub(super) fn merge_settings(value: &Value) -> MergeSettings {
    let Some(settings) = value.as_object::<Settings>() else { return MergeSettings::default() };
    let arrays = match settings.get(0) {
        1 => ArrayMerge::Union,
        2 => ArrayMerge::Replace,
        3 => ArrayMerge::Merge,
        _ => ArrayMerge::Concat,
    };
    MergeSettings { arrays, nulls: settings.get(1) == 1, ignore_case: false }
}

/// What `JsonSerializerSettings` say: are nulls left out, are dates read, is text indented?
pub(super) fn serializer_settings(value: &Value) -> (bool, bool, bool) {
    match value.as_object::<Settings>() {
        Some(it) => (it.get(0) == 1, it.get(1) != 0, it.get(2) == 1),
        None => (false, true, false),
    }
}

#[cfg(test)]
mod tests {
    use clr::value::Value;
    use tree::json::MergeSettings;

    use super::{SERIALIZER_SETTINGS, merge_settings, serializer_settings, settings};

    #[test]
    fn missing_settings_are_the_defaults() {
        assert_eq!(merge_settings(&Value::Null), MergeSettings::default());
        assert_eq!(serializer_settings(&Value::Null), (false, true, false));
        assert_eq!(serializer_settings(&settings(SERIALIZER_SETTINGS, 0)), (false, false, false));
    }
}
