//! `init`: a first site file for a folder.

use std::io::{self, Write};

use portcullis::init;
use portcullis::site::FILE_NAME;

use crate::arguments::Init;
use crate::{Ending, complain, output};

pub(crate) fn init(arguments: &Init, out: &mut dyn Write) -> io::Result<Ending> {
    let path = arguments.folder.join(FILE_NAME);
    if !arguments.print && path.exists() {
        complain(&format!(
            "{} is there already: `--print` shows what would be proposed",
            path.display()
        ));
        return Ok(Ending::Failed);
    }
    let proposal = init::propose(&arguments.folder);
    for failure in &proposal.failures {
        complain(failure);
    }
    if proposal.n_configs == 0 {
        complain(&format!(
            "no config that a dialect knows lies in {}: `portcullis dialects` lists them",
            arguments.folder.display()
        ));
        return Ok(Ending::Failed);
    }
    if arguments.print {
        out.write_all(proposal.text.as_bytes())?;
    } else if let Err(error) = output::write_file(&path, |out| out.write_all(proposal.text.as_bytes())) {
        complain(&format!("{} cannot be written: {error}", path.display()));
        return Ok(Ending::Failed);
    } else {
        let (path, n) = (path.display(), proposal.n_configs);
        writeln!(
            out,
            "{path} proposes zones and bindings for {n} configs: read it, then run `portcullis check`"
        )?;
    }
    Ok(if proposal.failures.is_empty() {
        Ending::Clean
    } else {
        Ending::Failed
    })
}
