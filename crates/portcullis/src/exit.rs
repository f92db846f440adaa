//! Exit codes, the same for every command.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Success,
    /// It looked and found something: an invalid policy, a failed case.
    Findings,
    /// The arguments make no sense together.
    Usage,
    /// The configuration, or a file named on the command line, cannot be read.
    Unreadable,
    /// A remote party or the network failed, a port in use included.
    Remote,
    /// A bug of ours.
    Internal,
    /// Interrupted from the keyboard.
    Interrupted,
    /// Ended by SIGTERM before it had drained.
    Terminated,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unreadable => 3,
            Self::Remote => 4,
            Self::Internal => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_those_of_the_documentation() {
        let codes = [Exit::Success, Exit::Findings, Exit::Usage, Exit::Unreadable, Exit::Remote];
        assert_eq!(codes.map(Exit::code), [0, 1, 2, 3, 4]);
        let others = [Exit::Internal, Exit::Interrupted, Exit::Terminated];
        assert_eq!(others.map(Exit::code), [70, 130, 143]);
    }
}
