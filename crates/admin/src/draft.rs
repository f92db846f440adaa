//! Files with changes that are not made yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::Source;
use serde_json::{Map, Value, json};

use crate::configuration::FileChange;
use crate::index::listed_name;

/// Files, and what is to change.
#[derive(Debug)]
pub(crate) struct Draft {
    source: Arc<Source>,
    changed: BTreeMap<String, Option<String>>,
}

impl Draft {
    /// No change yet.
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, changed: BTreeMap::new() }
    }

    /// The text of a file, as it will be.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.changed.get(name) {
            Some(text) => text.as_deref(),
            None => self.source.text(name).map(|it| &**it),
        }
    }

    /// Adds or replaces a file.
    pub(crate) fn put(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.changed.insert(name.into(), Some(text.into()));
    }

    /// Takes a file away.
    pub(crate) fn delete(&mut self, name: &str) {
        self.changed.insert(name.to_owned(), None);
    }

    /// The files in a folder and below it.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<String> {
        let is_in = |name: &str| name.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
        let own =
            self.source.files().map(|it| &**it.0).filter(|it| !self.changed.contains_key(*it));
        let new = self.changed.iter().filter(|it| it.1.is_some()).map(|it| it.0.as_str());
        own.chain(new).filter(|it| is_in(it)).map(str::to_owned).collect()
    }

    /// Takes a folder away.
    pub(crate) fn delete_folder(&mut self, folder: &str) {
        for name in self.files_in(folder) {
            self.delete(&name);
        }
    }

    /// Copies what is in a folder into another, but for files that `leave` names.
    pub(crate) fn copy_folder(&mut self, from: &str, to: &str, leave: &dyn Fn(&str) -> bool) {
        for name in self.files_in(from) {
            let Some(below) = name.strip_prefix(from) else { continue };
            if leave(below.trim_start_matches('/')) {
                continue;
            }
            if let Some(text) = self.text(&name).map(str::to_owned) {
                self.put(format!("{to}{below}"), text);
            }
        }
    }

    fn json(&self, name: &str) -> Map<String, Value> {
        let text = self.text(name).unwrap_or("").trim_start_matches('\u{feff}');
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Writes the `properties` of an information file; what stands beside them stays.
    pub(crate) fn put_properties(&mut self, name: &str, properties: Map<String, Value>) {
        let mut all = self.json(name);
        if all.get("properties").and_then(Value::as_object) == Some(&properties) {
            return;
        }
        all.insert("properties".to_owned(), Value::Object(properties));
        self.put(name, pretty(&Value::Object(all)));
    }

    /// Adds a name to a list of links.
    pub(crate) fn add_to_list(&mut self, file: &str, name: &str) {
        let mut items = self.list(file);
        items.push(json!({ "name": name }));
        self.put(file, pretty(&Value::Array(items)));
    }

    /// Takes a name out of a list of links.
    pub(crate) fn take_from_list(&mut self, file: &str, name: &str) {
        let mut items = self.list(file);
        items.retain(|it| listed_name(it).is_none_or(|it| !it.eq_ignore_ascii_case(name)));
        self.put(file, pretty(&Value::Array(items)));
    }

    fn list(&self, file: &str) -> Vec<Value> {
        let text = self.text(file).unwrap_or("[]").trim_start_matches('\u{feff}');
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What changes, without what comes out as it was.
    pub(crate) fn into_changes(self) -> Vec<FileChange> {
        let Self { source, changed } = self;
        let differs = |name: &str, text: &Option<String>| {
            source.text(name).map(|it| &**it) != text.as_deref()
        };
        changed
            .into_iter()
            .filter(|(name, text)| differs(name, text))
            .map(|(name, text)| FileChange { name, text })
            .collect()
    }
}

fn pretty(value: &Value) -> String {
    // A value of ours can always be written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft::new(Arc::new(Source::from_files([
            ("apis/a/x.json", "1"),
            ("apis/a/y.json", "2"),
            ("apis/ab/x.json", "3"),
            ("p/apis.json", r#"[{"name":"a"},"b"]"#),
        ])))
    }

    fn changes(draft: Draft) -> Vec<(String, Option<String>)> {
        draft.into_changes().into_iter().map(|it| (it.name, it.text)).collect()
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let mut it = draft();
        it.put("apis/a/x.json", "1");
        it.delete("none.json");
        it.put("apis/a/y.json", "new");
        assert_eq!(changes(it), [("apis/a/y.json".to_owned(), Some("new".to_owned()))]);
    }

    #[test]
    fn a_folder_goes_and_comes_as_a_whole() {
        let mut it = draft();
        it.copy_folder("apis/a", "apis/c", &|below| below == "y.json");
        it.delete_folder("apis/a");
        assert_eq!(it.files_in("apis"), ["apis/ab/x.json", "apis/c/x.json"]);
        let names: Vec<String> = changes(it).into_iter().map(|it| it.0).collect();
        assert_eq!(names, ["apis/a/x.json", "apis/a/y.json", "apis/c/x.json"]);
    }

    #[test]
    fn lists_gain_and_lose_names() {
        let mut it = draft();
        it.add_to_list("p/apis.json", "c");
        it.take_from_list("p/apis.json", "A");
        let left: Value = serde_json::from_str(it.text("p/apis.json").unwrap()).unwrap();
        assert_eq!(left, json!(["b", { "name": "c" }]));
    }

    #[test]
    fn properties_are_replaced_and_the_rest_stays() {
        let source = Source::from_files([("i.json", r#"{"name":"n","properties":{"a":1}}"#)]);
        let mut it = Draft::new(Arc::new(source));
        it.put_properties("i.json", json!({ "b": 2 }).as_object().unwrap().clone());
        let now: Value = serde_json::from_str(it.text("i.json").unwrap()).unwrap();
        assert_eq!(now, json!({ "name": "n", "properties": { "b": 2 } }));
    }
}
