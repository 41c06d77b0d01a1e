//! Modules: folders of files, their instances, and what they are given.
//!
//! INVARIANT: a module is read once, however often it is called; what its names are is decided by each call.

mod constraint;
mod expand;
mod folder;
mod input;
mod program;

pub(super) use expand::{Shape, Slot};
pub(super) use folder::ModuleCall;
pub(super) use program::{
    MAX_NESTING, Program, beside, folder_of, installed, is_configuration, is_loaded, local as local_source,
};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::eval::Memo;
use super::value::Repetition;

/// What blocks became; `None` while that is being found out.
type Shapes<K, T> = BTreeMap<K, Option<Rc<Shape<T>>>>;

/// One call of a module, with its own values.
pub(super) struct ModuleInstance<'w> {
    /// Its folder, if that is there.
    pub(super) folder: Option<usize>,
    /// Who calls it.
    pub(super) parent: Option<(usize, &'w ModuleCall)>,
    pub(super) repetition: Repetition,
    /// `module.net["a"].module.sg`; empty for the root.
    pub(super) address: Arc<str>,
    /// The names of the calls that lead to it: `net.sg`, as `modules.json` has them.
    pub(super) key: String,
    pub(super) inputs: RefCell<BTreeMap<Arc<str>, Memo>>,
    pub(super) locals: RefCell<BTreeMap<Arc<str>, Memo>>,
    pub(super) outputs: RefCell<BTreeMap<Arc<str>, Memo>>,
    pub(super) calls: RefCell<Shapes<Arc<str>, usize>>,
    pub(super) resources: RefCell<Shapes<usize, Slot>>,
}

impl ModuleInstance<'_> {
    /// The root.
    pub(super) fn root(folder: usize) -> Self {
        Self {
            folder: Some(folder),
            parent: None,
            repetition: Repetition::Single,
            address: "".into(),
            key: String::new(),
            inputs: RefCell::default(),
            locals: RefCell::default(),
            outputs: RefCell::default(),
            calls: RefCell::default(),
            resources: RefCell::default(),
        }
    }

    /// The address of something in it.
    pub(super) fn address_of(&self, what: &str) -> String {
        if self.address.is_empty() {
            what.to_owned()
        } else {
            format!("{}.{what}", self.address)
        }
    }
}
