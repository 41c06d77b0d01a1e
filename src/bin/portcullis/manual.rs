//! `completions` and `man`: what clap knows of the arguments, for shells and for `man`.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::{Ending, complain};

/// The completions of a shell.
pub(crate) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<Ending> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "portcullis", &mut text);
    out.write_all(&text)?;
    Ok(Ending::Clean)
}

/// The manual page, or those of all commands in a folder.
pub(crate) fn man(folder: Option<&Path>, out: &mut dyn Write) -> io::Result<Ending> {
    let Some(folder) = folder else {
        clap_mangen::Man::new(Arguments::command()).render(&mut &mut *out)?;
        return Ok(Ending::Clean);
    };
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    if let Err(error) = written {
        complain(&format!("{} cannot be written: {error}", folder.display()));
        return Ok(Ending::Failed);
    }
    Ok(Ending::Clean)
}
