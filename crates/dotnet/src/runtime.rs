//! The two lines of .NET.

/// Which .NET to imitate where the runtimes differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// .NET Core 3.1 and later.
    #[default]
    Modern,
    /// .NET Framework.
    Framework,
}

#[cfg(test)]
mod tests {
    use super::Runtime;

    #[test]
    fn the_default_is_modern() {
        assert_eq!(Runtime::default(), Runtime::Modern);
    }
}
