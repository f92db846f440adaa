//! The config crate against the shipped example, the layouts of other tools and arbitrary files.

#[cfg(test)]
mod example;
#[cfg(test)]
mod layouts;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod short_form;
