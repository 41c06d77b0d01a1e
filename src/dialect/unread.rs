//! Why a part of a text could not be read: what the readers of text dialects return on failure.

/// The smallest slice that is wrong, and the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread<'a> {
    /// The slice.
    pub(super) at: &'a str,
    /// The fact.
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
}

impl<'a> Unread<'a> {
    pub(super) fn new(at: &'a str, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What a reader of a part of a text returns.
pub(super) type Read<'a, T> = Result<T, Unread<'a>>;
