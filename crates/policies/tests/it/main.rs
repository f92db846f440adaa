//! Tests of the policies as documents use them: case files, the corpus of real documents, and
//! arbitrary ones.

#[cfg(test)]
#[path = "../../benches/alone.rs"]
mod alone;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
