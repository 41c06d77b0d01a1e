//! What `ufw.conf` and `/etc/default/ufw` set, with ufw's own defaults where they are not there.
//!
//! INVARIANT: each setting has a place, even where nothing says it: then that of the file that is read for want of it.

use crate::dialect::ufw::parser::setting::{Setting, setting};
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source, Span};

/// A value and where it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
}

impl Value<'_> {
    /// Whether the init script takes it for yes: `yes` or `YES`, and nothing else.
    pub(super) fn is_yes(&self) -> bool {
        matches!(self.text, "yes" | "YES")
    }

    /// The verdict that it is as a policy.
    pub(super) fn verdict(&self) -> Option<&'static str> {
        let mut known = ["ACCEPT", "DROP", "REJECT"].into_iter();
        known.find(|word| *word == self.text)
    }
}

/// What decides which rules are loaded.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) enabled: Value<'a>,
    pub(super) ipv6: Value<'a>,
    pub(super) input: Value<'a>,
    pub(super) output: Value<'a>,
    pub(super) forward: Value<'a>,
    /// Whether `/etc/default/ufw` is there.
    pub(super) has_defaults: bool,
    /// Whether `ufw.conf` is there.
    pub(super) has_conf: bool,
}

impl<'a> Settings<'a> {
    /// The settings of these files, where `ufw.conf` has the last word. What no file can say is as ufw ships it.
    pub(super) fn read(files: &[Source<'a>], origin: Span, notices: &mut Vec<Finding>) -> Self {
        let is_conf = |file: &&Source<'a>| file.name.ends_with("ufw.conf");
        let shipped = |text| Value { text, span: origin };
        let mut settings = Self {
            enabled: shipped("yes"),
            ipv6: shipped("yes"),
            input: shipped("DROP"),
            output: shipped("ACCEPT"),
            forward: shipped("DROP"),
            has_defaults: files.iter().any(|file| !is_conf(&file)),
            has_conf: files.iter().any(|file| is_conf(&file)),
        };
        // A file that does not set what it is there to set leaves the variable empty.
        for file in files {
            let start = Locator::new(*file).span(file.text.get(..0).unwrap_or(""));
            let unset = Value {
                text: "",
                span: start,
            };
            if is_conf(&file) {
                settings.enabled = unset;
            } else {
                settings.ipv6 = unset;
                settings.input = unset;
                settings.output = unset;
                settings.forward = unset;
            }
        }
        for wanted in [false, true] {
            for file in files.iter().filter(|file| is_conf(file) == wanted) {
                settings.add(*file, notices);
            }
        }
        settings
    }

    fn add(&mut self, file: Source<'a>, notices: &mut Vec<Finding>) {
        let at = Locator::new(file);
        for line in file.text.split('\n') {
            match setting(line) {
                Ok(Some(setting)) => self.set(setting, at.span(setting.value)),
                Ok(None) => {}
                Err(unread) => notices.push(super::unread(&at, &unread)),
            }
        }
    }

    fn set(&mut self, setting: Setting<'a>, span: Span) {
        let place = match setting.key {
            "ENABLED" => &mut self.enabled,
            "IPV6" => &mut self.ipv6,
            "DEFAULT_INPUT_POLICY" => &mut self.input,
            "DEFAULT_OUTPUT_POLICY" => &mut self.output,
            "DEFAULT_FORWARD_POLICY" => &mut self.forward,
            // Which modules are loaded and what is done with kernel settings filters nothing.
            _ => return,
        };
        *place = Value {
            text: setting.value,
            span,
        };
    }

    /// Says which policies are none: ufw does not start with them.
    pub(super) fn check(&self, notices: &mut Vec<Finding>) {
        for (_, hook, policy) in self
            .policies()
            .into_iter()
            .filter(|policy| policy.2.verdict().is_none())
        {
            let message = match policy.text {
                "" => format!("`DEFAULT_{hook}_POLICY` is not set"),
                other => format!("`{other}` is not a policy of ufw"),
            };
            let label = Label::new(policy.span, "ufw does not start without it");
            let finding = Finding::new(Code::UnreadText, message, Some(label));
            notices.push(finding.help("it is `ACCEPT`, `DROP` or `REJECT`"));
        }
    }

    /// Takes out what the reader of iptables says of policies that [`Settings::check`] has spoken of.
    pub(super) fn forget_said(&self, notices: &mut Vec<Finding>) {
        let said = self.policies().map(|(_, _, policy)| policy);
        notices.retain(|notice| {
            let at = notice.primary.as_ref().map(|label| label.span);
            !said
                .iter()
                .any(|policy| policy.verdict().is_none() && Some(policy.span) == at)
        });
    }

    /// The three hooks' policies with the names that ufw's chains have for the hooks.
    pub(super) fn policies(&self) -> [(&'static str, &'static str, Value<'a>); 3] {
        [
            ("input", "INPUT", self.input),
            ("output", "OUTPUT", self.output),
            ("forward", "FORWARD", self.forward),
        ]
    }
}
