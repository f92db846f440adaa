//! What specifications and documents came to, from one load to the next: one that has not changed
//! is not read again.
//!
//! Reading and compiling them is most of a load. What is remembered is compared with the whole
//! text, so that a change of any byte is read.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::entity::OperationEntity;
use crate::openapi::RequiredQuery;
use crate::reuse::Documents;

/// The operations of specifications that were read without a problem, and the documents of the
/// last load. Clones share them.
#[derive(Clone, Default)]
pub struct Remembered {
    specifications: Arc<Mutex<Memory>>,
    pub(crate) documents: Documents,
}

#[derive(Default)]
struct Memory {
    /// Counts the loads.
    load: u64,
    by_file: HashMap<Arc<str>, Known>,
}

struct Known {
    text: Arc<str>,
    required: RequiredQuery,
    operations: Vec<OperationEntity>,
    /// The load that asked for it last.
    load: u64,
}

impl Remembered {
    /// Begins a load: what the one before did not ask for is forgotten.
    pub(crate) fn begin(&self) {
        let mut memory = self.specifications.lock().unwrap_or_else(PoisonError::into_inner);
        let last = memory.load;
        memory.by_file.retain(|_, it| it.load == last);
        memory.load = last.wrapping_add(1);
    }

    /// The operations of a file, if it has this text and was read the same way.
    pub(crate) fn operations(
        &self,
        file: &str,
        text: &str,
        required: RequiredQuery,
    ) -> Option<Vec<OperationEntity>> {
        let mut memory = self.specifications.lock().unwrap_or_else(PoisonError::into_inner);
        let load = memory.load;
        let known = memory.by_file.get_mut(file)?;
        if known.required != required || *known.text != *text {
            return None;
        }
        known.load = load;
        Some(known.operations.clone())
    }

    /// Remembers the operations of a file that was read without a problem.
    pub(crate) fn keep(
        &self,
        file: &Arc<str>,
        text: &Arc<str>,
        required: RequiredQuery,
        operations: &[OperationEntity],
    ) {
        let mut memory = self.specifications.lock().unwrap_or_else(PoisonError::into_inner);
        let load = memory.load;
        let known = Known { text: text.clone(), required, operations: operations.to_vec(), load };
        memory.by_file.insert(file.clone(), known);
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use document::Diagnostic;

    use crate::load::{Options, parse};
    use crate::source::Source;

    const SPEC: &str =
        "openapi: 3.0.1\npaths: { /a: { get: { operationId: one, responses: {} } } }\n";

    fn ids(spec: &str, more: &str, options: &Options) -> (Vec<String>, Vec<String>) {
        let info = format!(r#"{{"properties":{{"path":"a"{more}}}}}"#);
        let files =
            [("apis/a/apiInformation.json", info.as_str()), ("apis/a/specification.yaml", spec)];
        let (parsed, problems) = parse(&Source::from_files(files), options);
        let operations = parsed.entities.apis.iter().flat_map(|it| &it.operations);
        let told = |it: &Diagnostic| it.message.clone();
        (operations.map(|it| it.id.clone()).collect(), problems.iter().map(told).collect())
    }

    #[test]
    fn a_specification_that_changes_is_read_again_and_one_that_does_not_is_the_same() {
        let options = Options::default();
        let changed = SPEC.replace("one", "two");
        for (text, expected) in [(SPEC, "one"), (SPEC, "one"), (&changed, "two"), (SPEC, "one")] {
            assert_eq!(ids(text, "", &options).0, [expected]);
        }
    }

    #[test]
    fn how_it_is_read_counts_too() {
        let options = Options::default();
        let spec = "openapi: 3.0.1\npaths: { /a: { get: { operationId: one, parameters: [{ name: q, in: query, required: true }], responses: {} } } }\n";
        let template = |more: &str| {
            let info = format!(r#"{{"properties":{{"path":"a"{more}}}}}"#);
            let files = [
                ("apis/a/apiInformation.json", info.as_str()),
                ("apis/a/specification.yaml", spec),
            ];
            let (parsed, _) = parse(&Source::from_files(files), &options);
            parsed.entities.apis[0].operations[0].url_template.clone()
        };
        let in_query = r#","translateRequiredQueryParameters":"query""#;
        let (first, second) = (template(""), template(in_query));
        assert_ne!(first, second);
        assert_eq!((template(""), template(in_query)), (first, second));
    }

    #[test]
    fn a_problem_is_told_each_time() {
        let options = Options::default();
        let bad = SPEC.replace("3.0.1", "9");
        let first = ids(&bad, "", &options).1;
        assert!(!first.is_empty());
        assert_eq!(ids(&bad, "", &options).1, first);
    }

    #[test]
    fn what_is_not_there_any_more_is_forgotten() {
        let options = Options::default();
        ids(SPEC, "", &options);
        let n_known = || options.remembered.specifications.lock().unwrap().by_file.len();
        assert_eq!(n_known(), 1);
        let none: [(&str, &str); 0] = [];
        for _ in 0..2 {
            parse(&Source::from_files(none), &options);
        }
        assert_eq!(n_known(), 0);
    }
}
