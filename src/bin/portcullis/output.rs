//! Where results go: standard output, or files that are written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use portcullis::report::Format;
use portcullis::source::SourceMap;

use crate::arguments::FormatArgument;
use crate::{Ending, complain};

/// One report and where it goes; `None` is standard output.
pub(crate) struct Target {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

/// The reports that are asked for. Two that would run into each other are refused.
pub(crate) fn targets(formats: &[FormatArgument], output: Option<&Path>) -> Result<Vec<Target>, String> {
    let formats = if formats.is_empty() {
        &[FormatArgument::HUMAN]
    } else {
        formats
    };
    let without: Vec<&str> = formats
        .iter()
        .filter(|asked| asked.file.is_none())
        .map(|asked| asked.format.word())
        .collect();
    match (without.as_slice(), output) {
        ([first, second, ..], _) => {
            return Err(format!(
                "`{first}` and `{second}` would be written to one place: name a file for one of them, `--format {second}=FILE`"
            ));
        }
        ([], Some(file)) => {
            return Err(format!(
                "every format has a file of its own, so nothing is written to {}: leave `-o` out",
                file.display()
            ));
        }
        _ => {}
    }
    let target = |asked: &FormatArgument| Target {
        format: asked.format,
        file: asked
            .file
            .as_deref()
            .or(output)
            .filter(|file| !is_standard_output(file))
            .map(Path::to_owned),
    };
    let targets: Vec<Target> = formats.iter().map(target).collect();
    if targets.iter().filter(|target| target.file.is_none()).count() > 1 {
        return Err(
            "two formats would be written to standard output: name a file for one of them".to_owned(),
        );
    }
    let mut files: Vec<&Path> = targets
        .iter()
        .filter_map(|target| target.file.as_deref())
        .collect();
    files.sort_unstable();
    match files.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(format!(
            "two formats would be written to {}",
            pair.first().copied().unwrap_or(Path::new("")).display()
        )),
        None => Ok(targets),
    }
}

/// `-` is standard output, as everywhere.
pub(crate) fn is_standard_output(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// The files that a run has read.
pub(crate) fn files_of(sources: &SourceMap) -> Vec<PathBuf> {
    let files = sources.ids().map(|id| sources.file(id));
    let read = files.filter(|file| !file.is_virtual());
    read.map(|file| PathBuf::from(file.name())).collect()
}

/// Whether a file is one of those that a run has read, by this name or another. Then that is said: nothing may be written to it.
pub(crate) fn is_input(file: &Path, read: &[PathBuf]) -> bool {
    let Ok(place) = file.canonicalize() else {
        return false;
    };
    let is_read = read
        .iter()
        .any(|one| one.canonicalize().is_ok_and(|one| one == place));
    if is_read {
        complain(&format!(
            "{} was read by this run, so nothing is written to it: name another file for the result",
            file.display()
        ));
    }
    is_read
}

/// Writes a result to a file if one is named, else to `out`. A file that cannot be written, or was read, is said, and fails the run.
pub(crate) fn to(
    file: Option<&Path>,
    read: &[PathBuf],
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<Ending>,
) -> io::Result<Ending> {
    let Some(file) = file.filter(|file| !is_standard_output(file)) else {
        return write(out);
    };
    if is_input(file, read) {
        return Ok(Ending::Failed);
    }
    match write_file(file, write) {
        Ok(ending) => Ok(ending),
        Err(error) => {
            complain(&format!("{} cannot be written: {error}", file.display()));
            Ok(Ending::Failed)
        }
    }
}

/// Writes a file whole or not at all: beside it first, then in its place. What is no plain file (a pipe, `/dev/stderr`) is
/// written to as it is.
pub(crate) fn write_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> io::Result<T> {
    // A link stays a link: what it leads to is replaced.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut text = Vec::new();
    let result = write(&mut text)?;
    let known = std::fs::metadata(&place).ok();
    if known.as_ref().is_some_and(|known| !known.is_file()) {
        std::fs::OpenOptions::new()
            .write(true)
            .open(&place)?
            .write_all(&text)?;
        return Ok(result);
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut beside = tempfile::Builder::new();
    beside.prefix(".portcullis-");
    readable(&mut beside);
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = beside
        .tempfile_in(folder)
        .map_err(|error| in_folder(folder, &error))?;
    file.write_all(&text)?;
    if let Some(known) = known {
        file.as_file().set_permissions(known.permissions())?;
    }
    file.persist(&place).map_err(|error| error.error)?;
    Ok(result)
}

/// Why no file can be made in a folder: the name that it would have had for a moment tells nobody anything.
fn in_folder(folder: &Path, error: &io::Error) -> io::Error {
    let said = error.to_string();
    // As `tempfile` says it: the reason, then `at path` and the name.
    let why = said.split_once(" at path ").map_or(said.as_str(), |(why, _)| why);
    io::Error::new(error.kind(), format!("in the folder {}: {why}", folder.display()))
}

/// A report is as readable as any file that the user makes, not a secret as temporary files are.
#[cfg(unix)]
fn readable(file: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_file: &mut tempfile::Builder<'_, '_>) {}
