//! `connections`: who may reach whom in clusters.

use std::io::{self, Write};

use portcullis::check;
use portcullis::connections::{self, Connections};

use crate::arguments::Connections as Arguments;
use crate::output;
use crate::{Ending, complain};

pub(crate) fn connections(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Ending> {
    let request = arguments.inputs.request(&arguments.paths);
    let (sources, clusters, summary) = check::clusters(&request);
    let all = clusters.into_iter();
    let all: Vec<_> = all
        .map(|(name, cluster)| Connections::of(name, &cluster))
        .collect();
    for said in [&summary.failures, &summary.dangling, &summary.open]
        .into_iter()
        .flatten()
    {
        complain(said);
    }
    if all.is_empty() {
        complain("no manifest of a cluster was read");
        return Ok(Ending::Failed);
    }
    let read = output::files_of(&sources);
    let written = output::to(arguments.to.output.as_deref(), &read, out, |out| {
        connections::write(&all, arguments.format.into(), out).map(|()| Ending::Clean)
    })?;
    Ok(
        if !summary.failures.is_empty() || matches!(written, Ending::Failed) {
            Ending::Failed
        } else if summary.dangling.is_empty() {
            Ending::Clean
        } else {
            Ending::Found
        },
    )
}
