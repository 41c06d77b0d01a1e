//! Keys that stand in a mapping twice, and merge keys.
//!
//! INVARIANT: a mapping has each key once when it is done, its own entries before those that were merged in.

use rustc_hash::{FxHashMap, FxHashSet};

use super::build::{Builder, Built, Measure, Place};
use super::node::{Data, Shape, Style};
use super::{Problem, Schema};

impl Builder<'_> {
    /// Leaves the last of the entries with the same key, and reports the others.
    pub(super) fn drop_duplicates(&mut self, children: &mut Vec<u32>) {
        let mut last: FxHashMap<&str, usize> = FxHashMap::default();
        let mut again: Vec<(usize, u32)> = Vec::new();
        for (index, pair) in children.chunks_exact(2).enumerate() {
            let [key, _] = pair else { continue };
            let Some(text) = self.key_text(*key) else { continue };
            if let Some(before) = last.insert(text, index) {
                again.push((before, *key));
            }
        }
        if again.is_empty() {
            return;
        }
        let problems: Vec<Problem> = again
            .iter()
            .map(|(_, key)| {
                let data = self.tree.nodes.get(*key as usize).copied().unwrap_or(Data::EMPTY);
                let text = self.key_text(*key).unwrap_or("");
                let message = format!("key `{text}` stands in this mapping already");
                Problem {
                    help: Some("the last one counts: remove the other".to_owned()),
                    ..self.problem(data.start as usize, data.end as usize, message)
                }
            })
            .collect();
        for problem in problems {
            self.report(problem);
        }
        let mut gone: Vec<usize> = again.iter().map(|(before, _)| *before).collect();
        gone.sort_unstable();
        let mut index = 0;
        children.retain(|_| {
            index += 1;
            gone.binary_search(&((index - 1) / 2)).is_err()
        });
    }

    /// Puts the entries of merge keys behind the mapping's own (<https://yaml.org/type/merge.html>).
    pub(super) fn merge(&mut self, children: &mut Vec<u32>) -> Built {
        if self.tree.schema == Schema::Json {
            return Ok(());
        }
        let is_merge = |pair: &[u32]| match pair {
            [key, _] => {
                let data = self.tree.nodes.get(*key as usize);
                data.is_some_and(|data| data.shape == Shape::Verbatim(Style::Plain) && data.tag == 0)
                    && self.key_text(*key) == Some("<<")
            }
            _ => false,
        };
        let Some(at) = children.chunks_exact(2).position(is_merge) else {
            return Ok(());
        };
        let removed: Vec<u32> = children.drain(at * 2..at * 2 + 2).collect();
        let Some(&value) = removed.get(1) else {
            return Ok(());
        };
        for mapping in self.merged_mappings(value)? {
            self.merge_one(children, mapping)?;
        }
        Ok(())
    }

    /// The mappings that the value of a merge key names, the strongest first.
    fn merged_mappings(&self, value: u32) -> Result<Vec<u32>, Problem> {
        let resolved = |id: u32| match self.tree.nodes.get(id as usize) {
            Some(data) if data.shape == Shape::Alias => (data.from, self.tree.nodes.get(data.from as usize)),
            data => (id, data),
        };
        let (id, data) = resolved(value);
        let data = data.copied().unwrap_or(Data::EMPTY);
        let ids: Vec<u32> = match data.shape {
            Shape::Mapping => vec![id],
            Shape::Sequence => {
                let items = self.tree.children.get(data.from as usize..data.to as usize);
                items
                    .unwrap_or(&[])
                    .iter()
                    .map(|&item| resolved(item).0)
                    .collect()
            }
            _ => Vec::new(),
        };
        let is_mapping = |id: &u32| resolved(*id).1.is_some_and(|data| data.shape == Shape::Mapping);
        if data.shape != Shape::Sequence && ids.is_empty() || !ids.iter().all(is_mapping) {
            return Err(self.problem(
                data.start as usize,
                data.end as usize,
                "a merge key (`<<`) takes a mapping, or a list of them",
            ));
        }
        Ok(ids)
    }

    fn merge_one(&mut self, children: &mut Vec<u32>, mapping: u32) -> Built {
        let data = self
            .tree
            .nodes
            .get(mapping as usize)
            .copied()
            .unwrap_or(Data::EMPTY);
        let entries = self.tree.children.get(data.from as usize..data.to as usize);
        let entries = entries.unwrap_or(&[]).to_vec();
        let place = Place {
            start: data.start as usize,
            end: data.end as usize,
            ..Place::default()
        };
        let measure = Measure {
            n_values: entries.len() as u64,
            height: 1,
        };
        self.expand(place, measure)?;
        let own: FxHashSet<String> = children
            .chunks_exact(2)
            .filter_map(|pair| self.key_text(*pair.first()?).map(str::to_owned))
            .collect();
        for pair in entries.chunks_exact(2) {
            let key = pair.first().and_then(|key| self.key_text(*key));
            if key.is_none_or(|key| !own.contains(key)) {
                children.extend_from_slice(pair);
            }
        }
        Ok(())
    }
}
