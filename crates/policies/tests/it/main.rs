//! Tests of the policies as documents use them: case files.

mod cases;
