//! Which workloads of a cluster a binding means: by namespace, name, kind and labels, all of which must hold.
//!
//! INVARIANT: a binding that says nothing of workloads is refused, so that none means all of them by accident.

use toml_edit::Item;

use super::error::{SiteError, bytes};
use super::resource::glob;
use super::table::Reader;
use crate::source::{Span, Spanned};

/// Keys of `workloads`.
pub(super) const KEYS: &[&str] = &["namespace", "names", "kinds", "labels"];

/// The workloads that a binding means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workloads {
    /// Their namespace; `*` stands for any characters. `None`: any.
    pub namespace: Option<Spanned<String>>,
    /// Patterns of their names, of which one must fit; none: any.
    pub names: Vec<Spanned<String>>,
    /// What makes their pods, `DaemonSet`; none: anything.
    pub kinds: Vec<Spanned<String>>,
    /// Labels that their pods have, with patterns of the values.
    pub labels: Vec<(String, Spanned<String>)>,
    /// The bytes that say all of it.
    pub span: Span,
}

impl Workloads {
    /// Whether a workload is meant. `label` gives the value of a label of its pods.
    #[must_use]
    pub fn mean<'w>(
        &self,
        (namespace, name, kind): (&str, &str, &str),
        label: impl Fn(&str) -> Option<&'w str>,
    ) -> bool {
        let fits = |pattern: &Spanned<String>, text: &str| glob(pattern.value.as_bytes(), text.as_bytes());
        let one_fits = |patterns: &[Spanned<String>], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, text))
        };
        self.namespace
            .as_ref()
            .is_none_or(|pattern| fits(pattern, namespace))
            && one_fits(&self.names, name)
            && one_fits(&self.kinds, kind)
            && self
                .labels
                .iter()
                .all(|(key, pattern)| label(key).is_some_and(|value| fits(pattern, value)))
    }
}

impl Reader<'_> {
    pub(super) fn workloads(&mut self, item: &Item) -> Option<Workloads> {
        let table = self.table("workloads", item)?;
        self.check_keys(table, "`workloads`", KEYS);
        let mut found = Workloads {
            namespace: table
                .get("namespace")
                .and_then(|item| self.string("namespace", item)),
            names: Vec::new(),
            kinds: Vec::new(),
            labels: Vec::new(),
            span: self.item_span(item),
        };
        if let Some(names) = table.get("names") {
            found.names = self.strings("names", names);
        }
        if let Some(kinds) = table.get("kinds") {
            found.kinds = self.strings("kinds", kinds);
        }
        if let Some(labels) = table.get("labels").and_then(|item| self.table("labels", item)) {
            for (key, item) in labels.iter() {
                let value = self.string(key, item);
                found.labels.extend(value.map(|value| (key.to_owned(), value)));
            }
        }
        let says_nothing = table.is_empty();
        if says_nothing {
            self.errors.push(SiteError::MissingKey {
                place: "`workloads`".to_owned(),
                key: "namespace",
                help:
                    "say which workloads: `workloads = { namespace = \"shop\", labels = { app = \"web\" } }`"
                        .to_owned(),
                at: bytes(found.span),
            });
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn workloads(text: &str) -> Workloads {
        let mut sources = SourceMap::new();
        let text = format!("[[bind]]\nroles = ['a.b']\nworkloads = {text}");
        let file = sources.add_text("portcullis.toml", &text);
        let mut site = crate::site::read(sources.source(file)).unwrap();
        site.bindings.remove(0).workloads.unwrap()
    }

    #[test]
    fn all_that_is_said_must_hold() {
        let labels = [("app", "web"), ("tier", "front")];
        let label = |key: &str| labels.iter().find(|label| label.0 == key).map(|label| label.1);
        for (text, expected) in [
            ("{ namespace = 'shop' }", true),
            ("{ namespace = 'sh*' }", true),
            ("{ namespace = 'other' }", false),
            ("{ names = ['web', 'x'] }", true),
            ("{ names = 'w' }", false),
            ("{ kinds = 'Deployment' }", true),
            ("{ kinds = ['DaemonSet'] }", false),
            ("{ labels = { app = 'web', tier = 'f*' } }", true),
            ("{ labels = { app = 'web', zone = '*' } }", false),
            ("{ namespace = 'shop', labels = { app = 'db' } }", false),
        ] {
            let meant = workloads(text).mean(("shop", "web", "Deployment"), label);
            assert_eq!(meant, expected, "{text}");
        }
    }
}
