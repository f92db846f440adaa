//! Properties of the whole crate: any text is answered, in linear time.

extern crate portcullis_csharp as csharp;

mod syntax;
