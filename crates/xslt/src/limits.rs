//! Bounds of one run, and why a run failed.

/// What one run may cost. Exceeding a bound is [`Failure::Limit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: instructions, nodes looked at, and every 64 bytes of text made or searched.
    pub max_steps: u64,
    /// Templates inside of templates.
    pub max_depth: usize,
    /// Nodes of the document and of every tree that the run makes.
    pub max_nodes: usize,
    /// Bytes of all texts that the run makes on its way, whether they are still needed or not.
    pub max_text_bytes: usize,
    /// Bytes of the result.
    pub max_output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_steps: 20_000_000,
            max_depth: 10_000,
            max_nodes: 2_000_000,
            max_text_bytes: 256 * 1024 * 1024,
            max_output_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why a run gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The document is not well-formed XML, or declares entities. The message names line and
    /// position.
    #[error("{0}")]
    Malformed(String),
    /// The stylesheet did what is an error when it happens. `at` is the byte of the stylesheet
    /// where the instruction stands.
    #[error("{message}")]
    Broken {
        /// What went wrong.
        message: String,
        /// Byte in the stylesheet's text.
        at: Option<usize>,
    },
    /// `xsl:message` with `terminate="yes"`, and its text.
    #[error("the stylesheet ended the transformation: {0}")]
    Terminated(String),
    /// A bound of [`Limits`] was exceeded.
    #[error("{0}")]
    Limit(String),
}

impl Failure {
    /// An error of the stylesheet whose place is not known yet.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::Broken { message: message.into(), at: None }
    }

    /// The same with its place, unless it has one.
    pub(crate) fn at(self, place: usize) -> Self {
        match self {
            Self::Broken { message, at: None } => Self::Broken { message, at: Some(place) },
            other => other,
        }
    }
}

/// What is left of the bounds.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    n_steps: u64,
    n_nodes: usize,
    n_text_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), n_steps: 0, n_nodes: 0, n_text_bytes: 0 }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn steps(&mut self, n: usize) -> Result<(), Failure> {
        self.n_steps = self.n_steps.saturating_add(n as u64);
        if self.n_steps > self.limits.max_steps {
            let most = self.limits.max_steps;
            return Err(Failure::Limit(format!("the stylesheet takes more than {most} steps")));
        }
        Ok(())
    }

    pub(crate) fn node(&mut self) -> Result<(), Failure> {
        self.nodes(1)
    }

    pub(crate) fn nodes(&mut self, n: usize) -> Result<(), Failure> {
        self.n_nodes = self.n_nodes.saturating_add(n);
        if self.n_nodes > self.limits.max_nodes {
            let most = self.limits.max_nodes;
            return Err(Failure::Limit(format!("there are more than {most} nodes")));
        }
        Ok(())
    }

    /// A text was made.
    pub(crate) fn text(&mut self, n_bytes: usize) -> Result<(), Failure> {
        self.n_text_bytes = self.n_text_bytes.saturating_add(n_bytes);
        if self.n_text_bytes > self.limits.max_text_bytes {
            let most = self.limits.max_text_bytes;
            return Err(Failure::Limit(format!("the texts made are longer than {most} bytes")));
        }
        self.steps(n_bytes / 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_met_after_and_not_at_its_number() {
        let limits =
            Limits { max_steps: 2, max_nodes: 1, max_text_bytes: 100, ..Limits::default() };
        let mut budget = Budget::new(&limits);
        assert!(budget.steps(2).is_ok() && budget.steps(1).is_err());
        let mut budget = Budget::new(&limits);
        assert!(budget.node().is_ok() && budget.node().is_err());
        let mut budget = Budget::new(&limits);
        assert!(budget.text(100).is_ok() && budget.text(1).is_err());
    }

    #[test]
    fn the_first_place_of_an_error_stays() {
        let error = Failure::broken("x").at(3).at(5);
        assert_eq!(error, Failure::Broken { message: "x".to_owned(), at: Some(3) });
    }
}
