//! Policy expressions: C# 7 over an allow-list of .NET types, compiled at load time, evaluated within bounds.

pub mod problem;
pub mod scan;
pub mod syntax;
pub mod text;

pub use problem::Problem;
pub use scan::Form;
