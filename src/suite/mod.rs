//! Literate cases: a page of Markdown with small configs and packets, and what must come of them. The project's own cases are
//! such pages, and so are the tests that stand beside a policy, `NAME.test.md` beside `NAME.ports`.
//!
//! *Read* (a page to cases), *run* (a case through the pipeline), *differences* (what came against what must). INVARIANT: a case
//! passes only if everything that it says was held against a run.

mod case;
mod page;
mod question;
mod read;
mod run;
mod write;

pub use case::{Case, Difference, Expectation, File, Found, Ran, Related};
pub use page::{Page, Tested, Untested, find, test};
pub use question::{Question, Wanted};
pub use read::{Misread, read};
pub use run::{NotRun, run};
pub use write::{Format, write};
