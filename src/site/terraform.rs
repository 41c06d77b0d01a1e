//! `[terraform]`: what root modules are given.
//!
//! INVARIANT: values are text, as on the command line of `terraform plan`.

use toml_edit::Item;

use super::table::Reader;
use super::{Site, Value};

/// Keys of `[terraform]`.
pub(super) const KEYS: &[&str] = &["vars", "var_files", "workspace"];

impl Reader<'_> {
    pub(super) fn terraform(&mut self, key: &str, item: &Item, site: &mut Site) {
        let Some(table) = self.table(key, item) else {
            return;
        };
        self.check_keys(table, "`[terraform]`", KEYS);
        for (key, item) in table.iter() {
            match key {
                "vars" => self.each(key, item, |reader, table, name, item| {
                    let key = reader.key_span(table, name);
                    let value = reader.string(name, item).map(|text| Value { key, text });
                    site.terraform
                        .variables
                        .extend(value.map(|value| (name.to_owned(), value)));
                }),
                "var_files" => site.terraform.variable_files = self.strings(key, item),
                "workspace" => site.terraform.workspace = self.string(key, item),
                _ => {}
            }
        }
    }
}
