//! Codes in `select` and `ignore`, of the site file and of the command line.

use super::Site;
use super::table::Reader;
use crate::finding::Code;
use crate::policy::nearest;
use crate::source::Spanned;

impl Reader<'_> {
    /// The codes that texts name. What names none is an error.
    fn codes(&mut self, texts: &[Spanned<String>]) -> Vec<Code> {
        let mut codes = Vec::new();
        for text in texts {
            let id = text.value.trim();
            let found = Code::beginning_with(id);
            if found.is_empty() {
                let ids = || Code::ALL.iter().map(|code| code.id());
                let near =
                    nearest(id, ids()).or_else(|| ids().find(|known| !id.is_empty() && known.contains(id)));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`portcullis explain` lists the codes".to_owned(),
                };
                self.value_error(
                    text.span,
                    format!("there is no finding code `{id}`"),
                    "no code",
                    help,
                );
            }
            codes.extend(found);
        }
        codes
    }

    /// Reports these codes alone.
    pub(super) fn select(&mut self, texts: &[Spanned<String>], site: &mut Site) {
        let codes = self.codes(texts);
        site.selection.only = Some(codes.into_iter().collect());
        // Who asks for them wants them looked for.
        site.redundant |= site.selection.names(Code::RedundantRule);
    }

    /// Leaves these codes out. What could not be read cannot be left out, as no comment takes it back.
    pub(super) fn ignore(&mut self, texts: &[Spanned<String>], site: &mut Site) {
        for text in texts {
            let codes = self.codes(std::slice::from_ref(text));
            if !codes.is_empty() && codes.iter().all(|code| code.is_failure()) {
                let message = format!("`{}` cannot be ignored", text.value.trim());
                self.value_error(
                    text.span,
                    message,
                    "not this",
                    "what could not be read or judged is not known to be right: correct the text",
                );
            }
            site.selection.without.extend(codes);
        }
    }
}
