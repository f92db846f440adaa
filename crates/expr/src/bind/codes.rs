//! The codes of problems in expressions, in one table.

/// Syntax: something else was expected.
pub(crate) const SYNTAX: &str = "PC0301";
/// A feature of a later C#, or one that policy expressions do not have.
pub(crate) const UNSUPPORTED: &str = "PC0310";
/// A name that means nothing here.
pub(crate) const UNKNOWN_NAME: &str = "PC0320";
/// A member that the type does not have.
pub(crate) const UNKNOWN_MEMBER: &str = "PC0321";
/// A type or member that policy expressions may not use.
pub(crate) const NOT_ALLOWED: &str = "PC0322";
/// A name that is declared twice.
pub(crate) const DUPLICATE_NAME: &str = "PC0323";
/// No conversion between two types.
pub(crate) const NO_CONVERSION: &str = "PC0330";
/// An operator that its operands do not have.
pub(crate) const NO_OPERATOR: &str = "PC0331";
/// No overload fits the arguments.
pub(crate) const NO_OVERLOAD: &str = "PC0332";
/// Two overloads fit equally well.
pub(crate) const AMBIGUOUS: &str = "PC0333";
/// Type arguments that cannot be inferred.
pub(crate) const NO_INFERENCE: &str = "PC0334";
/// Something that is not a value where one is needed.
pub(crate) const NOT_A_VALUE: &str = "PC0335";
/// Something that cannot be assigned to.
pub(crate) const NOT_A_VARIABLE: &str = "PC0336";
/// A type that cannot be found out.
pub(crate) const NO_TYPE: &str = "PC0337";
/// A variable that may be read before it has a value.
pub(crate) const UNASSIGNED: &str = "PC0340";
/// A path that does not return a value.
pub(crate) const NO_RETURN: &str = "PC0341";
/// `break`, `continue`, `throw;` or `return` in the wrong place; control that falls out of a section.
pub(crate) const CONTROL_FLOW: &str = "PC0342";
/// A constant expression that overflows or divides by zero.
pub(crate) const CONSTANT: &str = "PC0350";
/// An expression that is too large to compile.
pub(crate) const TOO_COMPLEX: &str = "PC0360";

/// Every code of this class with a title, for reference pages.
pub const TABLE: &[(&str, &str)] = &[
    (SYNTAX, "syntax error"),
    ("PC0302", "invalid literal or character"),
    ("PC0303", "feature of a later C#"),
    ("PC0304", "expression nested too deeply"),
    (UNSUPPORTED, "language feature that policy expressions do not have"),
    (UNKNOWN_NAME, "unknown name"),
    (UNKNOWN_MEMBER, "unknown member"),
    (NOT_ALLOWED, "type or member that policy expressions may not use"),
    (DUPLICATE_NAME, "name declared twice"),
    (NO_CONVERSION, "no such conversion"),
    (NO_OPERATOR, "no such operator"),
    (NO_OVERLOAD, "no overload fits"),
    (AMBIGUOUS, "ambiguous call"),
    (NO_INFERENCE, "type arguments cannot be inferred"),
    (NOT_A_VALUE, "not a value"),
    (NOT_A_VARIABLE, "not assignable"),
    (NO_TYPE, "type cannot be found out"),
    (UNASSIGNED, "variable without a value"),
    (NO_RETURN, "not all paths return a value"),
    (CONTROL_FLOW, "misplaced jump"),
    (CONSTANT, "invalid constant"),
    (TOO_COMPLEX, "expression too complex"),
];

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_of_the_class_of_expressions_and_differ() {
        let mut codes: Vec<&str> = super::TABLE.iter().map(|(code, _)| *code).collect();
        assert!(codes.iter().all(|it| it.starts_with("PC03") && it.len() == 6));
        codes.dedup();
        assert_eq!(codes.len(), super::TABLE.len());
    }
}
