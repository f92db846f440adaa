//! Where .NET Framework gives something else than .NET.

/// A difference that authors can meet.
pub(super) struct Difference {
    /// What it is about.
    pub(super) about: &'static str,
    /// An expression that shows it.
    pub(super) expression: &'static str,
    /// Its text on .NET.
    pub(super) modern: &'static str,
    /// Its text on .NET Framework.
    pub(super) framework: &'static str,
}

const fn row(
    about: &'static str,
    expression: &'static str,
    modern: &'static str,
    framework: &'static str,
) -> Difference {
    Difference { about, expression, modern, framework }
}

/// Every difference, with an example that a test evaluates.
pub(super) const DIFFERENCES: &[Difference] = &[
    row("text of `double`", "(0.1 + 0.2).ToString()", "0.30000000000000004", "0.3"),
    row("text of `float`", "(1f / 3).ToString()", "0.33333334", "0.3333333"),
    row("large `double`", "1e15.ToString()", "1000000000000000", "1E+15"),
    row("negative zero", "(-0.0).ToString()", "-0", "0"),
    row("rounding in formats", "2.5.ToString(\"F0\")", "2", "3"),
    row("rounding in formats", "1.005.ToString(\"F2\")", "1.00", "1.01"),
    row(
        "`double.Parse` beyond its range",
        "double.Parse(\"1e400\").ToString()",
        "Infinity",
        "System.OverflowException",
    ),
    row(
        "`TimeSpan` from fractions",
        "TimeSpan.FromSeconds(0.12345).ToString()",
        "00:00:00.1234500",
        "00:00:00.1230000",
    ),
    row(
        "`string.Join` whose first object is null",
        "string.Join(\",\", new object[] { null, \"a\" })",
        ",a",
        "",
    ),
];
