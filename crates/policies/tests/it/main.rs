//! Tests of the policies as documents use them: case files, and the corpus of real documents.

mod cases;
mod corpus;
