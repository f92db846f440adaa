//! `expressions:` of `portcullis.yaml`: how policy expressions are compiled, and how much they may do.

use expr::{Limits, Options, Runtime};

use super::quantity;
use crate::codes;
use crate::tree::Fields;

/// Fewest steps: below, ordinary expressions would not end.
const MIN_STEPS: u64 = 1000;
/// Least memory: a body of the usual size must fit.
const MIN_BYTES: u64 = 64 << 10;
/// Levels of calls that can be asked for; the thread's stack holds no more than the default.
const DEPTHS: std::ops::RangeInclusive<u64> = 10..=1000;

pub(super) fn read(fields: &Fields<'_, '_>) -> Options {
    let mut limits = Limits::default();
    if let Some(it) = fields.number("max-steps") {
        limits.steps = within(fields, "max-steps", it, MIN_STEPS..=u64::MAX);
    }
    if let Some(it) = quantity::bytes(fields, "max-memory") {
        limits.bytes = within(fields, "max-memory", it, MIN_BYTES..=u64::MAX);
    }
    if let Some(it) = fields.number("max-depth") {
        let depth = within(fields, "max-depth", it, DEPTHS);
        limits.depth = u32::try_from(depth).unwrap_or(limits.depth);
    }
    Options {
        runtime: runtime(fields),
        allow_unlisted: fields.bool("allow-unlisted").unwrap_or(false),
        limits,
        ..Options::default()
    }
}

fn runtime(fields: &Fields<'_, '_>) -> Runtime {
    let Some(tree) = fields.get("runtime") else { return Runtime::default() };
    match tree.scalar() {
        Some("modern") => Runtime::Modern,
        Some("framework") => Runtime::Framework,
        other => {
            let message = format!("`{}` is no runtime", other.unwrap_or(""));
            let problem = tree.error(codes::BAD_VALUE, message);
            fields.report(problem.help("write `modern` or `framework`"));
            Runtime::default()
        }
    }
}

fn within(
    fields: &Fields<'_, '_>,
    key: &'static str,
    found: u64,
    range: std::ops::RangeInclusive<u64>,
) -> u64 {
    let (least, most) = (*range.start(), *range.end());
    if !range.contains(&found) {
        let bound =
            if found < least { format!("at least {least}") } else { format!("at most {most}") };
        let place = fields.get(key).unwrap_or(fields.tree());
        fields.report(place.error(codes::BAD_VALUE, format!("`{key}` must be {bound}")));
    }
    found.clamp(least, most)
}

#[cfg(test)]
mod tests {
    use expr::{Limits, Options, Runtime};

    use super::super::tests::read;

    #[test]
    fn every_setting_is_read() {
        let (it, problems) = read(
            "expressions: { runtime: framework, allow-unlisted: true, max-steps: 2000, max-memory: 1MiB, max-depth: 50 }",
        );
        assert_eq!(problems, [""; 0]);
        let limits = Limits { steps: 2000, bytes: 1 << 20, depth: 50 };
        let expected = Options {
            runtime: Runtime::Framework,
            allow_unlisted: true,
            limits,
            ..Options::default()
        };
        assert_eq!(it.expressions, expected);
        assert_eq!(read("{}").0.expressions, Options::default());
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            ("runtime: mono", "PC0506 `mono` is no runtime"),
            ("max-steps: 10", "PC0506 `max-steps` must be at least 1000"),
            ("max-depth: 5000", "PC0506 `max-depth` must be at most 1000"),
            ("max-memory: much", "PC0506 `much` is no size"),
            ("steps: 5", "PC0503 unknown key `steps`"),
        ] {
            assert_eq!(read(&format!("expressions: {{ {text} }}")).1, [problem], "{text}");
        }
    }
}
